#include "watcher/media/media_ingress.h"

#include "tests/support/as_nobody.h"
#include "tests/support/fake_random.h"
#include "tests/watcher/watched_input.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A medium is a directory that is renamed away and back, as the name of a mount point shows it.
class MediaIngressTest : public WatchedInput<MediaIngress> {
 protected:
  MediaIngressTest() : WatchedInput("stick", "medium/in", 1s) {
    settings_.directory()->media = true;
    restart();
  }
  void restart() { ingress_.emplace(settings_, queue_, wall_, steady_, random_); }
  void pull(const std::string& name = "away") {
    std::filesystem::rename(medium_, directory_ / name);
  }
  void plug(const std::string& name = "away") {
    std::filesystem::rename(directory_ / name, medium_);
  }
  void put(const std::string& name, int number) {
    const char message[] = {'\x30', '\x03', '\x02', '\x01', static_cast<char>(number)};
    write_and_rename(in_, name, {message, sizeof message});
  }
  std::string id() {
    auto text = contents_of(in_ + "/.cmpost-medium");
    text.pop_back();
    return text;
  }

  const std::string medium_ = directory_ / "medium";
  SystemRandom random_;
};

TEST_F(MediaIngressTest, FilesAreCopiedAndWorkedOnAndPutAwayOnTheMedium) {
  put("a.pki", 1);
  put("b.pki", 2);
  EXPECT_EQ(look_twice().deposited, 2U);
  EXPECT_THAT(in(), IsEmpty());
  EXPECT_THAT(in(".done"), ElementsAre("a.pki", "b.pki"));
  ASSERT_THAT(jobs(), SizeIs(2));
  EXPECT_EQ(jobs()[0].envelope.reply.address, id());
  EXPECT_EQ(jobs()[0].envelope.reply.name, "a");
}

TEST_F(MediaIngressTest, AnAbsentMediumIsNoError) {
  pull();
  EXPECT_EQ(look_twice().deposited, 0U);
  EXPECT_THAT(note(), HasSubstr("no medium is there"));
  EXPECT_FALSE(std::filesystem::exists(medium_)) << "nothing is made where it will be";
  plug();
  put("a.pki", 1);
  EXPECT_EQ(look_twice().deposited, 1U);
}

TEST_F(MediaIngressTest, AnEmptyMountPointIsNoMedium) {
  settings_.directory()->mount_point = medium_;
  restart();
  put("a.pki", 1);
  EXPECT_EQ(look_twice().deposited, 0U);
  EXPECT_THAT(names_in(in_), ElementsAre("a.pki")) << "no label either";
}

TEST_F(MediaIngressTest, AMediumThatNobodyMayLookAtIsNotAbsent) {
  put("a.pki", 1);
  const AsNobody nobody(directory_.path());
  if (!nobody.ok()) GTEST_SKIP() << "needs root, or an account without rights";
  using std::filesystem::perms;
  std::filesystem::permissions(in_, perms::owner_read);
  EXPECT_THAT(ingress_->poll({}), Fails(HasSubstr("Permission denied")));
  std::filesystem::permissions(in_, perms::owner_all);
  settings_.directory()->mount_point = medium_ + "/in";
  std::filesystem::permissions(medium_, perms::owner_read);
  restart();
  EXPECT_THAT(ingress_->poll({}), Fails(HasSubstr("Permission denied")));
  std::filesystem::permissions(medium_, perms::owner_all);
}

TEST_F(MediaIngressTest, EachMediumHasAnIdThatStays) {
  put("a.pki", 1);
  look_twice();
  const auto first = id();
  pull("first");
  std::filesystem::create_directories(in_);
  put("a.pki", 1);
  look_twice();
  EXPECT_NE(id(), first);
  pull("second");
  plug("first");
  look_twice();
  EXPECT_EQ(id(), first);
  ASSERT_THAT(jobs(), SizeIs(2));
  EXPECT_NE(jobs()[0].envelope.reply.address, jobs()[1].envelope.reply.address);
}

TEST_F(MediaIngressTest, AFileThatIsStillWrittenIsWaitedFor) {
  write_in_place(in_ + "/a.pki", "\x30\x03\x02");
  look();
  steady_.advance(500ms);
  put("a.pki", 1);
  look();
  steady_.advance(500ms);
  EXPECT_EQ(look().deposited, 0U);
  steady_.advance(500ms);
  EXPECT_EQ(look().deposited, 1U);
}

// Where a medium is filled slowly, or by a program that pauses.
TEST_F(MediaIngressTest, AFileThatEndsBeforeItsOwnLengthHasTimeToGrow) {
  write_in_place(in_ + "/a.pki", "\x30\x03\x02");
  EXPECT_EQ(look_twice().settling, 1U);
  steady_.advance(8s);
  EXPECT_EQ(look().quarantined, 0U);
  EXPECT_THAT(in(), ElementsAre("a.pki"));
  put("a.pki", 1);
  EXPECT_EQ(look_twice().deposited, 1U);
  write_in_place(in_ + "/b.pki", "\x30\x03\x02");
  look_twice();
  steady_.advance(9s);
  EXPECT_EQ(look().quarantined, 1U);
  EXPECT_THAT(in(), IsEmpty());
}

TEST_F(MediaIngressTest, FoldersAndWhatIsNoFileAreSpokenOf) {
  std::filesystem::create_directory(in_ + "/System Volume Information");
  look();
  EXPECT_EQ(note_on("folders"), "");
  std::filesystem::create_directory(in_ + "/requests");
  std::filesystem::create_directory(in_ + "/dev.pki");
  EXPECT_EQ(look_twice().stuck, 1U);
  EXPECT_EQ(note_on("folders"), "what lies in folders is not taken: requests in " + in_);
  ASSERT_THAT(ingress_->looked_at().stuck, SizeIs(1));
  EXPECT_EQ(ingress_->looked_at().stuck[0].what, "dev.pki");
  for (const auto* name : {"requests", "dev.pki"}) std::filesystem::remove(in_ + "/" + name);
  EXPECT_EQ(look().stuck, 0U);
  EXPECT_EQ(note_on("folders"), "");
}

TEST_F(MediaIngressTest, WhatWasCopiedAndNotPutAwayIsNotCopiedAgain) {
  put("a.pki", 1);
  look_twice();
  // As if the medium had lost the renaming: pulled out before its cache was written.
  pull();
  const auto copied = directory_ / "away/in/";
  std::filesystem::rename(copied + ".done/a.pki", copied + "a.pki");
  const auto time = std::filesystem::last_write_time(copied + "a.pki");
  plug();
  CopiedFile file{"a.pki", 5, 0, sha256(view_of(std::string("\x30\x03\x02\x01\x01", 5)))};
  file.mtime_nanos = std::chrono::duration_cast<std::chrono::nanoseconds>(
                         std::chrono::file_clock::to_sys(time).time_since_epoch())
                         .count();
  auto ledger = CopyLedger::open(settings_.state + "/media/" + id()).value();
  ASSERT_THAT(ledger.commit({file}), IsOk());
  restart();
  EXPECT_EQ(look_twice().deposited, 0U);
  EXPECT_THAT(jobs(), SizeIs(1));
  EXPECT_THAT(in(), IsEmpty());
}

TEST_F(MediaIngressTest, TheSameFileOnceMoreIsANewArrival) {
  put("a.pki", 1);
  look_twice();
  put("a.pki", 1);
  EXPECT_EQ(look_twice().deposited, 1U);
  EXPECT_THAT(jobs(), SizeIs(2));
  EXPECT_THAT(in(".done"), SizeIs(2));
}

// File managers keep the time of what they copy.
TEST_F(MediaIngressTest, TheSameFileComesAgainAndAgain) {
  put("a.pki", 1);
  const auto time = std::filesystem::last_write_time(in_ + "/a.pki");
  for (std::size_t times = 1; times <= 4; ++times) {
    put("a.pki", 1);
    std::filesystem::last_write_time(in_ + "/a.pki", time);
    EXPECT_EQ(look_twice().deposited, 1U);
    EXPECT_THAT(jobs(), SizeIs(times));
    EXPECT_THAT(in(), IsEmpty());
  }
  EXPECT_THAT(in(".done"), SizeIs(2));
}

TEST_F(MediaIngressTest, ATooLargeFileStaysOnTheMediumAndIsHeld) {
  write_and_rename(in_, "big.pki", std::string(1001, 'x'));
  EXPECT_EQ(look_twice().quarantined, 1U);
  EXPECT_EQ(queue_.counts()->held, 1U);
  EXPECT_THAT(in(".quarantine"), ElementsAre("big.pki"));
}

TEST_F(MediaIngressTest, CopiesThatAFailedQueueLeftAreWorkedOnWithoutTheMedium) {
  settings_.limits.max_pending = 0;  // it would ask the queue before anything is copied
  restart();
  put("a.pki", 1);
  look();
  steady_.advance(1s);
  queue_.fail_with({Recovery::retry, "database is locked", ""});
  EXPECT_THAT(ingress_->poll({}), Fails(HasSubstr("locked")));
  queue_.go_on();
  pull();
  restart();
  EXPECT_EQ(look().deposited, 1U);
}

TEST_F(MediaIngressTest, CopiesThatCannotBePutAwayAreStuckUntilTheyCan) {
  put("a.pki", 1);
  look_twice();
  const AsNobody nobody(directory_.path());
  if (!nobody.ok()) GTEST_SKIP() << "needs root, or an account without rights";
  const auto done = settings_.state + "/media/" + id() + "/in/.done";
  std::filesystem::permissions(done, std::filesystem::perms(0555));
  put("b.pki", 2);
  const auto text = logged([&] {
    EXPECT_EQ(look_twice().deposited, 1U);
    for (int looks = 0; looks < 3; ++looks) {
      if (looks == 1) pull();
      EXPECT_EQ(look_later().stuck, 1U);
      const auto stuck = ingress_->looked_at().stuck;
      ASSERT_THAT(stuck, SizeIs(1));
      EXPECT_THAT(stuck[0].what, ::testing::EndsWith("/in/.work/b.pki"));
      EXPECT_THAT(stuck[0].why, HasSubstr("its request is in the queue"));
    }
  });
  EXPECT_EQ(count_of("input.stuck", text), 1U) << text;
  std::filesystem::permissions(done, std::filesystem::perms(0755));
  EXPECT_EQ(look_later().stuck, 0U);
  EXPECT_THAT(ingress_->looked_at().stuck, IsEmpty());
  EXPECT_THAT(jobs(), SizeIs(2));
}

TEST_F(MediaIngressTest, NothingOfTheMediumStaysOpen) {
  put("a.pki", 1);
  look_twice();
  const auto prefix = std::filesystem::canonical(medium_).string();
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const auto target = std::filesystem::read_symlink(entry.path(), gone).string();
    EXPECT_FALSE(target.starts_with(prefix)) << target;
  }
}

TEST_F(MediaIngressTest, AFileThatCannotBeReadKeepsNoOtherFromBeingCopied) {
  for (const auto* name : {"a.pki", "b.pki", "c.pki"}) put(name, name[0]);
  const AsNobody nobody(directory_.path());
  if (!nobody.ok()) GTEST_SKIP() << "needs root, or an account without rights";
  forbid(in_ + "/b.pki");
  look_twice();
  EXPECT_EQ(waiting(), 2U);
  ASSERT_THAT(ingress_->looked_at().stuck, SizeIs(1));
  EXPECT_THAT(ingress_->looked_at().stuck[0].why, HasSubstr("Permission denied"));
  allow(in_ + "/b.pki");
  look_twice();
  EXPECT_EQ(waiting(), 3U);
  EXPECT_THAT(ingress_->looked_at().stuck, IsEmpty());
}

}  // namespace
}  // namespace cmpost
