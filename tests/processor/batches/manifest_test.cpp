#include "processor/batches/manifest.h"

#include <sstream>

#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Result<std::vector<ManifestRow>> read(const std::string& text, std::size_t most = 10) {
  std::istringstream in(text);
  return read_manifest(in, most);
}

TEST(Manifest, HasTheColumnsOfAListOfDevicesInAnyOrderAndCase) {
  const auto rows = read("Serial;File;NAME;subject;secret\n007;a.pki;dev1;CN=dev1;x\n");
  ASSERT_THAT(rows, IsOkAnd(SizeIs(1)));
  const auto& row = rows->front();
  EXPECT_EQ(row.line, 2U);
  EXPECT_EQ(row.file, "a.pki");
  EXPECT_EQ(row.name, "dev1");
  EXPECT_EQ(row.serial, "007");
  EXPECT_EQ(row.subject, "CN=dev1");
  EXPECT_THAT(row.fault, IsEmpty());
}

TEST(Manifest, WhatNobodyKnowsIsRefusedWithTheNearest) {
  const auto refused = read("nmae\nx\n");
  ASSERT_THAT(refused, Fails(HasSubstr("nmae")));
  EXPECT_THAT(refused.error().hint, HasSubstr("'name'"));
  EXPECT_THAT(read("serial\n1\n"), Fails(HasSubstr("neither the column file nor")));
  EXPECT_THAT(read("name\na\nb\nc\n", 2), Fails(HasSubstr("more than 2 rows")));
}

TEST(Manifest, WhatIsWrongWithOneRowIsItsFaultAlone) {
  const auto rows = read("name,subject\n,CN=x\ndev1,nonsense\ndev2,CN=dev*\n");
  ASSERT_THAT(rows, IsOkAnd(SizeIs(3)));
  EXPECT_THAT((*rows)[0].fault, HasSubstr("neither a file nor a device"));
  EXPECT_THAT((*rows)[1].fault, HasSubstr("subject"));
  EXPECT_THAT((*rows)[2].fault, IsEmpty());
}

}  // namespace
}  // namespace cmpost
