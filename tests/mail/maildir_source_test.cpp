#include "mail/maildir_source.h"

#include <filesystem>

#include "tests/mail/dovecot.h"
#include "tests/support/as_nobody.h"
#include "tests/support/fake_clock.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::stop_token kPatient;

class MaildirSourceTest : public ::testing::Test {
 protected:
  static MailSettings settings_of(const std::string& path) {
    MailSettings settings;
    settings.fetch = {"maildir", "", 0, path};
    return settings;
  }
  void deliver(const std::string& mail) {
    Dovecot::deliver_into(path_, mail, ++number_, ::getuid(), ::getgid());
  }
  std::vector<MailHandle> list(std::size_t max = 10) {
    auto mails = source_.list(max, kPatient);
    EXPECT_THAT(mails, IsOk());
    return mails.value_or(std::vector<MailHandle>());
  }
  std::vector<std::string> names(const std::string& folder) const {
    std::vector<std::string> result;
    for (const auto& entry : std::filesystem::directory_iterator(path_ + "/" + folder)) {
      result.push_back(entry.path().filename());
    }
    std::sort(result.begin(), result.end());
    return result;
  }
  void rename(const std::string& from, const std::string& to) const {
    std::filesystem::rename(path_ + "/" + from, path_ + "/" + to);
  }

  TemporaryDirectory directory_;
  const std::string path_ = directory_ / "Maildir";
  FakeClock wall_;
  MaildirSource source_{settings_of(path_), wall_};
  int number_ = 0;
};

TEST_F(MaildirSourceTest, FilesAwayIntoFoldersThatMailProgramsKnow) {
  deliver("one");
  ASSERT_THAT(source_.file_away(list(), MailPlace::done, kPatient), IsOk());
  ASSERT_THAT(names(".CMPost.Done/cur"), SizeIs(1));
  EXPECT_TRUE(names(".CMPost.Done/cur")[0].ends_with(":2,"));
  EXPECT_TRUE(exists(path_ + "/.CMPost.Done/maildirfolder"));
  EXPECT_THAT(names("new"), IsEmpty());
}

TEST_F(MaildirSourceTest, FollowsAMailThatAReaderMovedAndFlagged) {
  deliver("one");
  const auto mails = list();
  ASSERT_THAT(mails, SizeIs(1));
  const auto name = names("new").at(0);
  rename("new/" + name, "cur/" + name + ":2,S");
  EXPECT_EQ(source_.fetch(mails[0], 10, kPatient).value(), to_bytes("one"));
  EXPECT_EQ(list().at(0).arrival, mails[0].arrival);
  ASSERT_THAT(source_.file_away(mails, MailPlace::quarantine, kPatient), IsOk());
  EXPECT_EQ(names(".CMPost.Quarantine/cur").at(0), name + ":2,S");
}

TEST_F(MaildirSourceTest, AMailThatNobodyCanLookAtIsNotOneThatIsGone) {
  deliver("one");
  const AsNobody nobody(directory_.path());
  if (!nobody.ok()) GTEST_SKIP() << "needs root, or an account without rights";
  const auto mails = list();
  using std::filesystem::perms;
  std::filesystem::permissions(path_ + "/new", perms::owner_read);
  EXPECT_THAT(source_.fetch(mails.at(0), 10, kPatient), Fails(HasSubstr("Permission denied")));
  EXPECT_THAT(source_.file_away(mails, MailPlace::done, kPatient),
              Fails(HasSubstr("Permission denied")));
  std::filesystem::permissions(path_ + "/new", perms::owner_all);
}

TEST_F(MaildirSourceTest, OverwritesNothing) {
  deliver("one");
  const auto name = names("new").at(0);
  ASSERT_THAT(source_.file_away(list(), MailPlace::done, kPatient), IsOk());
  Dovecot::write(path_ + "/new/" + name, "two");
  ASSERT_THAT(source_.file_away(list(), MailPlace::done, kPatient), IsOk());
  EXPECT_THAT(list(), IsEmpty());
  EXPECT_THAT(names(".CMPost.Done/cur"), SizeIs(2));
}

TEST_F(MaildirSourceTest, WhatIsPutBackIsAnotherArrival) {
  deliver("one");
  const auto name = names("new").at(0);
  std::set<std::string> arrivals;
  for (int i = 0; i < 3; ++i) {
    const auto mails = list();
    ASSERT_THAT(mails, SizeIs(1));
    arrivals.insert(mails[0].arrival);
    EXPECT_EQ(list().at(0).arrival, mails[0].arrival) << "as long as it lies there";
    ASSERT_THAT(source_.file_away(mails, MailPlace::done, kPatient), IsOk());
    rename(".CMPost.Done/cur/" + name + ":2,", "new/" + name);
  }
  EXPECT_THAT(arrivals, SizeIs(3));
}

TEST_F(MaildirSourceTest, AnArrivalTellsTheTimeByTheClockThatWasHandedIn) {
  deliver("one");
  const auto name = names("new").at(0);
  ASSERT_THAT(source_.file_away(list(), MailPlace::done, kPatient), IsOk());
  rename(".CMPost.Done/cur/" + name + ":2,", "new/" + name);
  const auto micros = std::to_string(to_unix_micros(wall_.now()));
  EXPECT_THAT(list().at(0).arrival, ::testing::EndsWith(";AFTER=" + micros));
}

TEST_F(MaildirSourceTest, LeavesForeignMailsWhereTheyAre) {
  deliver("one");
  const auto before = names("new");
  ASSERT_THAT(source_.file_away(list(), MailPlace::foreign, kPatient), IsOk());
  EXPECT_THAT(list(), IsEmpty());
  EXPECT_EQ(names("new"), before);
  rename("new/" + before[0], "cur/" + before[0] + ":2,");
  EXPECT_THAT(list(), IsEmpty());
}

TEST_F(MaildirSourceTest, TakesNoLinksAndNoDirectories) {
  deliver("one");
  std::filesystem::create_symlink("/etc/passwd", path_ + "/new/1.link");
  std::filesystem::create_directory(path_ + "/new/1.directory");
  Dovecot::write(path_ + "/new/.hidden", "x");
  EXPECT_THAT(list(), SizeIs(1));
}

TEST_F(MaildirSourceTest, AMailThatCameAfterTheListEndsTheWait) {
  deliver("one");
  list();
  deliver("two");
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(source_.wait(std::chrono::seconds(30), kPatient), IsOk());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
  EXPECT_THAT(list(), SizeIs(2));
}

TEST_F(MaildirSourceTest, ADirectoryThatIsMissingIsAnError) {
  EXPECT_FALSE(source_.connect(kPatient));
  EXPECT_FALSE(source_.list(10, kPatient));
}

}  // namespace
}  // namespace cmpost
