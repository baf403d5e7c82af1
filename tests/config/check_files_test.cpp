// What the file system says to the settings.
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "config/check_permissions.h"
#include "tests/config/settings_file.h"
#include "tests/support/as_nobody.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(CheckFiles, ASecretThatOthersMayReadIsFound) {
  const TemporaryDirectory directory;
  const auto text = File{}.text();
  for (const auto* name : {"ca", "in", "out"})
    ASSERT_THAT(make_directories(directory / name), IsOk());
  for (const auto* name : {"ca/ca.pem", "ca/ca.key", "ca/cmp.pem", "ca/cmp.key"}) {
    ASSERT_THAT(write_file(directory / name, view_of("x"), 0600, IfExists::fail), IsOk());
  }
  const auto settings = parse_settings(text, directory / "cmpost.toml").value();
  EXPECT_THAT(check_files(settings), IsEmpty());
  ASSERT_EQ(::chmod((directory / "ca/cmp.key").c_str(), 0640), 0);
  const auto found = check_files(settings);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(to_string(found[0]),
              AllOf(HasSubstr("cmpost.toml:7:"), HasSubstr("read or written by others"),
                    HasSubstr("chmod 600")));
}

class CheckPermissions : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const auto* name : {"ca", "in", "out"}) {
      ASSERT_THAT(make_directories(directory / name), IsOk());
      ASSERT_EQ(::chmod((directory / name).c_str(), 0755), 0);
    }
    for (const auto* name : {"ca/ca.pem", "ca/ca.key", "ca/cmp.pem", "ca/cmp.key", "cmpost.toml",
                             "ledger.db", "spool.db"}) {
      ASSERT_THAT(write_file(directory / name, view_of("x"), 0600, IfExists::fail), IsOk());
    }
  }
  PermissionReport report() {
    return check_permissions(parse_settings(File{}.text(), directory / "cmpost.toml").value());
  }
  void expect_found(const std::string& name, mode_t mode, const std::string& what) {
    const auto path = directory / name;
    struct stat before {};
    ASSERT_EQ(::stat(path.c_str(), &before), 0);
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    std::vector<std::string> texts;
    for (const auto& complaint : report().complaints) texts.push_back(to_string(complaint));
    EXPECT_THAT(texts, Contains(HasSubstr(what))) << name;
    ASSERT_EQ(::chmod(path.c_str(), before.st_mode & 07777U), 0);
  }

  TemporaryDirectory directory;
};

TEST_F(CheckPermissions, WhatOnlyWeMayWriteIsFine) {
  EXPECT_THAT(report().complaints, IsEmpty());
  EXPECT_THAT(report().warnings, IsEmpty());
}

TEST_F(CheckPermissions, WhatOthersMayExchangeIsFound) {
  expect_found("cmpost.toml", 0666, "cmpost.toml may be written by everybody");
  expect_found("cmpost.toml", 0660, "cmpost.toml may be written by its group");
  expect_found("ca/ca.pem", 0664, "ca.pem may be written by its group");
  expect_found("ca", 0777, "/ca may be written by everybody");
  expect_found("", 0775, "may be written by its group");
  expect_found("ledger.db", 0666, "ledger.db may be written by everybody");
  if (::geteuid() != 0) return;
  ASSERT_EQ(::chown((directory / "ca/ca.pem").c_str(), 4242, 4242), 0);
  expect_found("ca/ca.pem", 0600, "belongs to another account");
}

TEST_F(CheckPermissions, RequestsMayComeFromEverybodyAndAStickyDirectoryHarmsNobody) {
  ASSERT_EQ(::chmod((directory / "in").c_str(), 0777), 0);
  ASSERT_EQ(::chmod((directory / "ca").c_str(), 01777), 0);
  EXPECT_THAT(report().complaints, IsEmpty());
}

TEST_F(CheckPermissions, DatabasesThatEverybodyMayReadAreWarnedOf) {
  ASSERT_EQ(::chmod((directory / "ledger.db").c_str(), 0644), 0);
  EXPECT_THAT(report().warnings, Contains(HasSubstr("may be read by everybody")));
  ASSERT_EQ(::chmod((directory / "ledger.db").c_str(), 0660), 0);
  EXPECT_THAT(report().warnings, IsEmpty());
}

TEST(CheckFiles, WhatIsMissingOrNotADirectoryIsFound) {
  const TemporaryDirectory directory;
  ASSERT_THAT(write_file(directory / "in", view_of("x"), 0600, IfExists::fail), IsOk());
  const auto settings = parse_settings(File{}.text(), directory / "cmpost.toml").value();
  std::vector<std::string> texts;
  for (const auto& complaint : check_files(settings)) texts.push_back(to_string(complaint));
  EXPECT_EQ(texts.size(), 6U);
  EXPECT_THAT(texts, Contains(AllOf(HasSubstr("[ca].key"), HasSubstr("does not exist"))));
  EXPECT_THAT(texts, Contains(AllOf(HasSubstr("/in is not a directory"))));
  EXPECT_THAT(texts, Contains(HasSubstr("mkdir -p")));
}

// It is made in its directory, and read where it is there.
TEST(CheckFiles, OfAFileThatIsWrittenTheFileItselfIsNamedWhenThatIsWhatIsWrong) {
  const TemporaryDirectory directory;
  for (const auto* name : {"ca", "in", "out", "pub"})
    ASSERT_THAT(make_directories(directory / name), IsOk());
  for (const auto* name : {"ca/ca.pem", "ca/ca.key", "ca/cmp.pem", "ca/cmp.key", "pub/ca.crl"}) {
    ASSERT_THAT(write_file(directory / name, view_of("x"), 0600, IfExists::fail), IsOk());
  }
  File file;
  file.ca += "crl = { publish = \"pub/ca.crl\" }\n";
  const auto settings = parse_settings(file.text(), directory / "cmpost.toml").value();
  const auto crl = directory / "pub/ca.crl", pub = directory / "pub";
  const AsNobody nobody(directory.path());
  if (!nobody.ok()) GTEST_SKIP() << "needs root, or an account without rights";
  const auto only_complaint = [&] {
    const auto found = check_files(settings);
    EXPECT_EQ(found.size(), 1U);
    return found.empty() ? Complaint{} : found.front();
  };
  EXPECT_THAT(check_files(settings), IsEmpty());
  // Who reads it need not say so once more ...
  ASSERT_EQ(::chmod(crl.c_str(), 0), 0);
  EXPECT_THAT(only_complaint().message, HasSubstr("using " + crl + ": Permission denied"));
  EXPECT_EQ(only_complaint().unopened, crl);
  // ... but where only the directory is complained of.
  ASSERT_EQ(::chmod(pub.c_str(), 0555), 0);
  EXPECT_THAT(only_complaint().message, HasSubstr("using " + pub + ": Permission denied"));
  EXPECT_EQ(only_complaint().unopened, "");
  ASSERT_EQ(::chmod(pub.c_str(), 0), 0);
  EXPECT_EQ(only_complaint().unopened, crl);
  ASSERT_EQ(::chmod(pub.c_str(), 0755), 0);
}

TEST(CheckFiles, OneDirectoryByTwoNamesIsFound) {
  const TemporaryDirectory directory;
  ASSERT_THAT(make_directories(directory / "in"), IsOk());
  ASSERT_EQ(::symlink((directory / "in").c_str(), (directory / "out").c_str()), 0);
  const auto settings = parse_settings(File{}.text(), directory / "cmpost.toml").value();
  std::vector<std::string> texts;
  for (const auto& complaint : check_files(settings)) texts.push_back(to_string(complaint));
  EXPECT_THAT(texts, Contains(HasSubstr("is the same directory as")));
}

}  // namespace
}  // namespace cmpost
