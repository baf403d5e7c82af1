#include "archive/zip_file.h"

#include <fcntl.h>

#include <map>

#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class ZipFileTest : public ::testing::Test {
 protected:
  Result<ZipFile> open(const std::string& octets, const ZipLimits& limits = {}) {
    const auto path = directory_ / "set.zip";
    EXPECT_THAT(write_file(path, view_of(octets), 0600, IfExists::replace), IsOk());
    return ZipFile::open(FileDescriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), "set.zip",
                         limits);
  }
  // Made by Python's zipfile, see the program below.
  std::string made(const std::string& program) {
    const auto path = directory_ / "made.zip";
    const auto command = "python3 -c \"import zipfile\nz=zipfile.ZipFile('" + path +
                         "','w',zipfile.ZIP_DEFLATED)\n" + program + "\nz.close()\"";
    EXPECT_EQ(std::system(command.c_str()), 0);
    const auto octets = read_file(path, std::size_t{1} << 24U);
    return std::string(text_of(octets.value_or(Bytes())));
  }
  // Contents, or "! why".
  std::map<std::string, std::string> members(const ZipFile& zip) {
    std::map<std::string, std::string> all;
    EXPECT_THAT(zip.for_each([&](const std::string& name, Result<Bytes> contents) -> Result<void> {
      all[name] = contents ? std::string(text_of(*contents)) : "! " + contents.error().what;
      return {};
    }),
                IsOk());
    return all;
  }
  const TemporaryDirectory directory_;
};

TEST_F(ZipFileTest, FilesAreReadAndDirectoriesAndHiddenOnesPassedOver) {
  const auto zip =
      open(made("z.writestr('a.pki','one')\nz.writestr('d/',b'')\n"
                "z.writestr('d/b.pki','two')\nz.writestr('.x','no')\n"
                "z.writestr('__MACOSX/y','no')"));
  ASSERT_THAT(zip, IsOk());
  const std::map<std::string, std::string> both = {{"a.pki", "one"}, {"d/b.pki", "two"}};
  EXPECT_EQ(members(*zip), both);
  EXPECT_EQ(members(*zip), both) << "once more";
}

TEST_F(ZipFileTest, WhatIsWrongWithOneMemberIsItsFaultAlone) {
  const auto zip = open(made("z.writestr('good','1')\nz.writestr('../up','1')\n"
                             "z.writestr('/abs','1')\nz.writestr('big','x'*200)\n"
                             "i=zipfile.ZipInfo('link')\ni.create_system=3\n"
                             "i.external_attr=0o120777<<16\nz.writestr(i,'good')"),
                        {.member = 100});
  ASSERT_THAT(zip, IsOk());
  auto all = members(*zip);
  EXPECT_EQ(all["good"], "1");
  EXPECT_THAT(all["../up"], HasSubstr("upwards"));
  EXPECT_THAT(all["/abs"], HasSubstr("absolute"));
  EXPECT_THAT(all["big"], HasSubstr("more than 100 octets"));
  EXPECT_THAT(all["link"], HasSubstr("is a link"));
}

TEST_F(ZipFileTest, NamesOfAnyScriptAreRead) {
  const auto zip = open(made("z.writestr('ger\\u00e4t.pki','1')\nz.writestr('\\u65e5/a.pki','2')"));
  ASSERT_THAT(zip, IsOk());
  const std::map<std::string, std::string> both = {{"ger\xc3\xa4t.pki", "1"},
                                                   {"\xe6\x97\xa5/a.pki", "2"}};
  EXPECT_EQ(members(*zip), both);
}

TEST_F(ZipFileTest, ADotBeforeANameSaysNothing) {
  const auto zip =
      open(made("z.writestr('./a.pki','1')\nz.writestr('./d/./b.pki','2')\n"
                "z.writestr('./a.pki.','3')\nz.writestr('././.hidden','4')"));
  ASSERT_THAT(zip, IsOk());
  const auto all = members(*zip);
  EXPECT_EQ(all.at("a.pki"), "1");
  EXPECT_EQ(all.count(".hidden"), 0U);
}

TEST_F(ZipFileTest, AnEmptyOneHasNothing) {
  const auto zip = open(made(""));
  ASSERT_THAT(zip, IsOk());
  EXPECT_THAT(members(*zip), IsEmpty());
}

TEST_F(ZipFileTest, TwoMembersInOnePlaceAreDamage) {
  auto octets = made("z.writestr('a','1')\nz.writestr('b','1')");
  // The second entry of the directory leads to the first member.
  const auto second = octets.find("PK\x01\x02", octets.find("PK\x01\x02") + 1);
  octets.replace(second + 42, 4, std::string(4, '\0'));
  const auto zip = open(octets);
  ASSERT_THAT(zip, IsOk());
  EXPECT_THAT(zip->for_each([](const std::string&, Result<Bytes>) -> Result<void> { return {}; }),
              Fails(HasSubstr("it says that it has 2 members, and has 1")));
}

TEST_F(ZipFileTest, AnEncryptedMemberIsTold) {
  auto octets = made("z.writestr('secret','1')");
  const auto local = octets.find("PK\x03\x04"), central = octets.find("PK\x01\x02");
  octets[local + 6] |= 1;
  octets[central + 8] |= 1;
  const auto zip = open(octets);
  ASSERT_THAT(zip, IsOk());
  EXPECT_THAT(members(*zip)["secret"], HasSubstr("encrypted"));
}

TEST_F(ZipFileTest, LimitsCountBeforeAnythingIsRead) {
  const auto three = made("[z.writestr(str(i),'1') for i in range(3)]");
  EXPECT_THAT(open(three, {.members = 2}), Fails(HasSubstr("3 members")));
  const auto bomb =
      open(made("[z.writestr(str(i),'0'*1000000) for i in range(3)]"), {.ratio = 100});
  ASSERT_THAT(bomb, IsOk());
  EXPECT_THAT(bomb->for_each([](const std::string&, Result<Bytes>) -> Result<void> { return {}; }),
              Fails(HasSubstr("unpacks to more than")));
}

TEST_F(ZipFileTest, WhatIsNoZipOrCutOffIsTold) {
  EXPECT_THAT(open("no zip, but long enough to be one"), Fails(HasSubstr("is no ZIP file")));
  EXPECT_THAT(open(""), Fails(HasSubstr("is no ZIP file")));
  const auto whole = made("z.writestr('a','1')");
  EXPECT_THAT(open(whole.substr(0, whole.size() - 5)), Fails(HasSubstr("cut off")));
}

TEST(FaultOfMemberName, NamesLeadNowhereElse) {
  for (const auto* name : {"", "/a", "a/../b", "..", "a\\b", "C:a", "a\nb", "\xff"}) {
    EXPECT_THAT(fault_of_member_name(name), Not(IsEmpty())) << name;
  }
  for (const auto* name : {"a", "a/b.pki", "..a", "a..b/c"}) {
    EXPECT_THAT(fault_of_member_name(name), IsEmpty()) << name;
  }
}

}  // namespace
}  // namespace cmpost
