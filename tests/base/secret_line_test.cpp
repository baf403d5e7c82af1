#include "base/secret_line.h"

#include "base/files.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(SecretLine, IsTheFirstLineOfTheFileWithoutItsEnd) {
  const TemporaryDirectory place;
  const auto file = place / "password";
  for (const std::string text :
       {"pass word", "pass word\n", "pass word\r\n", "pass word\nmore\n"}) {
    ASSERT_THAT(write_file(file, view_of(text), 0600, IfExists::replace), IsOk());
    EXPECT_EQ(read_secret_line(file).value(), "pass word");
  }
}

TEST(SecretLine, WhatIsNoLineOfTextIsRefusedAndNotQuoted) {
  const TemporaryDirectory place;
  const auto file = place / "password";
  for (const auto& text : {std::string(), std::string("\nsecret"), std::string("sec\0ret", 7),
                           std::string("sec\rret"), std::string("sec\tret\n")}) {
    ASSERT_THAT(write_file(file, view_of(text), 0600, IfExists::replace), IsOk());
    const auto line = read_secret_line(file);
    ASSERT_FALSE(line);
    EXPECT_THAT(to_string(line.error()), HasSubstr(file));
    EXPECT_THAT(to_string(line.error()), Not(HasSubstr("ret")));
  }
  EXPECT_FALSE(read_secret_line(place / "none"));
}

}  // namespace
}  // namespace cmpost
