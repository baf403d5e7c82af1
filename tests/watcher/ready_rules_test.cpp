// ready = "stable", "marker" and "manifest", and the limits of a channel.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/as_nobody.h"
#include "tests/watcher/watched_input.h"
#include "watcher/directory_ingress.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr auto kSettleTime = 60min;  // no file grows that old in a test; a test moves the clock

std::string request(int number) {
  return {'\x30', '\x03', '\x02', '\x01', static_cast<char>(number)};
}
std::string digest(std::string_view contents) { return to_hex(sha256(view_of(contents))); }

class ReadyRulesTest : public WatchedInput<DirectoryIngress> {
 protected:
  ReadyRulesTest() : WatchedInput("drop", "in", kSettleTime) {
    settings_.directory()->poll = 10 * kSettleTime;
  }
  void start(ReadyRule rule) {
    settings_.directory()->ready = rule;
    ingress_.emplace(settings_, queue_, wall_, steady_);
    look();
  }
  void put(const std::string& name, std::string_view contents) {
    write_and_rename(in_, name, contents);
  }
};

TEST_F(ReadyRulesTest, StableBelievesNoEvent) {
  start(ReadyRule::stable);
  put("renamed.pki", request(1));
  write_in_place(in_ + "/closed.pki", request(2));
  EXPECT_EQ(look().settling, 2U);
  steady_.advance(kSettleTime / 2);
  write_in_place(in_ + "/closed.pki", request(3));  // it is written again
  EXPECT_EQ(look().deposited, 0U);
  steady_.advance(kSettleTime / 2);
  EXPECT_EQ(look().deposited, 1U);
  EXPECT_THAT(in(".done"), ElementsAre("renamed.pki"));
  EXPECT_EQ(look_later().deposited, 1U);
}

TEST_F(ReadyRulesTest, StableDoesNotTrustAnOldTimeStampEither) {
  put("old.pki", request(1));
  settings_.directory()->settle = 1ms;
  ::usleep(5000);  // older than that by the file system's clock, and seen once only
  start(ReadyRule::stable);
  EXPECT_EQ(waiting(), 0U);
  steady_.advance(1ms);
  EXPECT_EQ(look().deposited, 1U);
}

TEST_F(ReadyRulesTest, AFileWaitsForItsMarker) {
  start(ReadyRule::marker);
  put("x.pki", request(1));
  EXPECT_EQ(look().deposited, 0U);
  look_later();
  EXPECT_EQ(look_later().deposited, 0U);
  EXPECT_EQ(look().stuck, 1U);
  put("x.pki.done", "");
  EXPECT_EQ(look().deposited, 1U);
  EXPECT_THAT(in(), IsEmpty());
  EXPECT_THAT(in(".done"), ElementsAre("x.pki", "x.pki.done"));
}

TEST_F(ReadyRulesTest, AMarkerMayComeFirstWhenItNamesTheContent) {
  start(ReadyRule::marker);
  put("x.pki.ok", digest(request(1)) + "  x.pki\n");
  look();
  write_in_place(in_ + "/x.pki", request(1).substr(0, 3));
  EXPECT_EQ(look().deposited, 0U);
  write_in_place(in_ + "/x.pki", request(1));
  EXPECT_EQ(look().deposited, 1U);
}

TEST_F(ReadyRulesTest, AnEmptyMarkerThatIsOlderThanItsFileTellsNothing) {
  start(ReadyRule::marker);
  put("x.pki.done", "");
  look();
  ::usleep(20'000);  // the clock of a file system ticks every few milliseconds
  put("x.pki", request(1));
  EXPECT_EQ(look().deposited, 0U);
  put("x.pki.done", "");  // the new one
  EXPECT_EQ(look().deposited, 1U);
}

TEST_F(ReadyRulesTest, AnotherHashThanTheMarkersIsPutAsideWithTheMarker) {
  start(ReadyRule::marker);
  put("x.pki", request(1));
  put("x.pki.done", digest(request(2)));
  EXPECT_EQ(look().deposited, 0U);
  EXPECT_THAT(in(), SizeIs(2)) << "it may still be written";
  EXPECT_EQ(look_later().quarantined, 0U) << "by one who waits for a network";
  steady_.advance(9 * kSettleTime);
  EXPECT_EQ(look().quarantined, 1U);
  EXPECT_THAT(in(), IsEmpty());
  EXPECT_THAT(in(".quarantine"), ElementsAre("x.pki", "x.pki.done", "x.pki.reason.txt"));
  EXPECT_THAT(contents_of(in_ + "/.quarantine/x.pki.reason.txt"), HasSubstr("SHA-256"));
}

TEST_F(ReadyRulesTest, AFileThatIsAsItsMarkerSaysIsNotWaitedForToGrow) {
  start(ReadyRule::marker);
  const auto cut_off = request(1).substr(0, 3);
  put("x.pki", cut_off);
  put("x.pki.done", digest(cut_off));
  look();
  EXPECT_EQ(look_later().quarantined, 1U);
  EXPECT_THAT(contents_of(in_ + "/.quarantine/x.pki.reason.txt"), HasSubstr("cut off"));
}

TEST_F(ReadyRulesTest, AMarkerWithOtherWordsIsAMistake) {
  start(ReadyRule::marker);
  put("x.pki", request(1));
  put("x.pki.done", "complete!");
  look();
  EXPECT_EQ(look_later().quarantined, 1U);
  EXPECT_THAT(contents_of(in_ + "/.quarantine/x.pki.reason.txt"), HasSubstr("marker"));
}

TEST_F(ReadyRulesTest, AListIsTakenAllAtOnceOrNotAtAll) {
  start(ReadyRule::manifest);
  put("a.pki", request(1));
  put("all.manifest", digest(request(1)) + "  a.pki\n" + digest(request(2)) + "  b.pki\n");
  look();
  look_later();
  EXPECT_EQ(waiting(), 0U);
  EXPECT_THAT(in(), SizeIs(2));
  put("b.pki", request(3));  // not what the list says
  look();
  EXPECT_EQ(waiting(), 0U);
  put("b.pki", request(2));
  EXPECT_EQ(look().deposited, 2U);
  EXPECT_EQ(queue_.puts(), 1U) << "one commit";
  EXPECT_THAT(in(), IsEmpty());
  EXPECT_THAT(in(".work"), IsEmpty());
  EXPECT_THAT(in(".done"), ElementsAre("a.pki", "all.manifest", "b.pki"));
}

TEST_F(ReadyRulesTest, AnAnsweredListThatIsPutInAgainIsAnsweredAgain) {
  start(ReadyRule::manifest);
  put("a.pki", request(1));
  put("all.manifest", digest(request(1)) + "  a.pki\n");
  EXPECT_EQ(look().deposited, 1U);
  ASSERT_THAT(queue_.finish(std::vector{queue_.take(1).value().at(0).job.id}, "answered"), IsOk());
  for (const auto* name : {"a.pki", "all.manifest"}) {
    std::filesystem::rename(in_ + "/.done/" + name, in_ + "/" + name);
  }
  const auto again = look();
  EXPECT_EQ(again.deposited, 1U);
  EXPECT_EQ(again.known, 0U);
  EXPECT_EQ(waiting(), 1U);
  EXPECT_THAT(in(), IsEmpty());
}

TEST_F(ReadyRulesTest, FilesThatNoListNamesStayAndAreSpokenOf) {
  start(ReadyRule::manifest);
  put("a.pki", request(1));
  put("b.pki", request(2));
  put("a.sha256", digest(request(1)) + " *a.pki\n");
  EXPECT_EQ(look().deposited, 1U);
  EXPECT_THAT(in(), ElementsAre("b.pki"));
  EXPECT_THAT(note(), HasSubstr("1 files are in no list"));
}

TEST_F(ReadyRulesTest, MoreListsThanOneLookTakesNoticeOfAreSpokenOf) {
  start(ReadyRule::manifest);
  for (int i = 0; i < 1001; ++i) put("x" + std::to_string(i) + ".manifest", "no list");
  steady_.advance(settings_.directory()->poll);
  look();
  EXPECT_THAT(note_on("more"), HasSubstr("more than 1000 lists lie in"));
}

TEST_F(ReadyRulesTest, NotesOfAChannelThatHadOtherSettingsAreGone) {
  ChannelNote(settings_.state, "medium").set("no medium is there");
  start(ReadyRule::rename);
  EXPECT_EQ(note(), "");
}

TEST_F(ReadyRulesTest, AListOneFileOfWhichIsNoRequestIsPutAsideWhole) {
  start(ReadyRule::manifest);
  put("a.pki", request(1));
  put("b.pki", "no request");
  put("all.sha256", digest(request(1)) + "  a.pki\n" + digest("no request") + "  b.pki\n");
  EXPECT_EQ(look().quarantined, 3U);
  EXPECT_EQ(waiting(), 0U);
  EXPECT_THAT(in(), IsEmpty());
  EXPECT_THAT(contents_of(in_ + "/.quarantine/a.pki.reason.txt"), HasSubstr("b.pki: "));
}

TEST_F(ReadyRulesTest, AListThatIsNoneIsPutAsideAlone) {
  start(ReadyRule::manifest);
  put("a.pki", request(1));
  put("all.manifest", "a.pki\n");
  look();
  EXPECT_EQ(look_later().quarantined, 1U);
  EXPECT_THAT(in(), ElementsAre("a.pki"));
  EXPECT_THAT(contents_of(in_ + "/.quarantine/all.manifest.reason.txt"), HasSubstr("line 1"));
}

TEST_F(ReadyRulesTest, WhatACrashLeftOfATakenListIsTidiedUpOnly) {
  start(ReadyRule::manifest);
  put("a.pki", request(1));
  put("b.pki", request(2));
  put("all.manifest", digest(request(1)) + "  a.pki\n" + digest(request(2)) + "  b.pki\n");
  EXPECT_EQ(look().deposited, 2U);
  // As if it had died after b.pki was moved; and all is answered before anybody looks.
  std::filesystem::rename(in_ + "/.done/a.pki", in_ + "/a.pki");
  std::filesystem::rename(in_ + "/.done/all.manifest", in_ + "/.work/all.manifest");
  const auto leases = queue_.take(2).value();
  for (const auto& lease : leases) {
    ASSERT_THAT(queue_.finish({&lease.job.id, 1}, "answered"), IsOk());
  }
  put("b.pki", request(9));  // a new file of that name
  start(ReadyRule::manifest);
  EXPECT_EQ(waiting(), 0U);
  EXPECT_THAT(in(), ElementsAre("b.pki"));
  EXPECT_THAT(in(".done"), ElementsAre("a.pki", "all.manifest", "b.pki"));
}

TEST_F(ReadyRulesTest, AListWhoseQueueFailedIsTakenWhenItGoesOn) {
  start(ReadyRule::manifest);
  put("a.pki", request(1));
  put("all.manifest", digest(request(1)) + "  a.pki\n");
  queue_.fail_with({Recovery::retry, "database is locked", ""});
  EXPECT_THAT(ingress_->poll({}), Fails(HasSubstr("locked")));
  queue_.go_on();
  EXPECT_EQ(look().deposited, 1U);
  EXPECT_EQ(waiting(), 1U);
  EXPECT_THAT(in(), IsEmpty());
  EXPECT_THAT(in(".work"), IsEmpty());
}

TEST_F(ReadyRulesTest, AListThatWasClaimedAndLostAFileWaitsForIt) {
  start(ReadyRule::manifest);
  put("a.pki", request(1));
  write_in_place(in_ + "/.work/all.manifest",
                 digest(request(1)) + "  a.pki\n" + digest(request(2)) + "  b.pki\n");
  start(ReadyRule::manifest);
  EXPECT_EQ(waiting(), 0U);
  EXPECT_THAT(in(), ElementsAre("a.pki", "all.manifest"));
  put("b.pki", request(2));
  look();
  look_later();
  EXPECT_EQ(waiting(), 2U);
}

TEST_F(ReadyRulesTest, ATakenListWithAFileThatCannotBeReadIsStuckAndNothingElse) {
  start(ReadyRule::manifest);
  put("a.pki", request(1));
  const AsNobody nobody(directory_.path());
  if (!nobody.ok()) GTEST_SKIP() << "needs root, or an account without rights";
  forbid(in_ + "/a.pki");
  write_in_place(in_ + "/.work/all.manifest", digest(request(1)) + "  a.pki\n");
  start(ReadyRule::manifest);
  const auto found = look();
  EXPECT_EQ(found.settling, 0U) << "nothing that a look at once could tell";
  EXPECT_EQ(found.stuck, 1U);
  ASSERT_THAT(ingress_->looked_at().stuck, SizeIs(1));
  EXPECT_EQ(ingress_->looked_at().stuck[0].what, ".work/all.manifest");
  EXPECT_THAT(ingress_->looked_at().stuck[0].why, HasSubstr("Permission denied"));
  allow(in_ + "/a.pki");
  steady_.advance(settings_.directory()->poll);
  EXPECT_EQ(look().deposited, 1U);
  EXPECT_EQ(look().stuck, 0U);
  EXPECT_THAT(in(".work"), IsEmpty());
}

TEST_F(ReadyRulesTest, AListThatCannotBeClaimedStopsNothing) {
  start(ReadyRule::manifest);
  put("a.pki", request(1));
  put("a.manifest", digest(request(1)) + "  a.pki\n");
  put("b.manifest", "no list");
  const AsNobody nobody(directory_.path());
  if (!nobody.ok()) GTEST_SKIP() << "needs root, or an account without rights";
  std::filesystem::permissions(in_ + "/.work", std::filesystem::perms(0555));
  look();
  EXPECT_EQ(look_later().quarantined, 1U) << "the list beside it";
  EXPECT_EQ(waiting(), 0U);
  ASSERT_THAT(ingress_->looked_at().stuck, SizeIs(1));
  EXPECT_EQ(ingress_->looked_at().stuck[0].what, "a.manifest");
  std::filesystem::permissions(in_ + "/.work", std::filesystem::perms(0755));
  EXPECT_EQ(look_later().deposited, 1U);
  EXPECT_THAT(ingress_->looked_at().stuck, IsEmpty());
}

TEST_F(ReadyRulesTest, ATakenListThatCannotBePutAwayStopsNothing) {
  start(ReadyRule::manifest);
  put("a.pki", request(1));
  put("a.manifest", digest(request(1)) + "  a.pki\n");
  const AsNobody nobody(directory_.path());
  if (!nobody.ok()) GTEST_SKIP() << "needs root, or an account without rights";
  std::filesystem::permissions(in_ + "/.done", std::filesystem::perms(0555));
  EXPECT_EQ(look().deposited, 1U);
  ASSERT_THAT(ingress_->looked_at().stuck, SizeIs(1));
  EXPECT_EQ(ingress_->looked_at().stuck[0].what, ".work/a.manifest");
  steady_.advance(settings_.directory()->poll);
  EXPECT_EQ(look().deposited, 0U);
  EXPECT_THAT(in(), ElementsAre("a.pki"));
  EXPECT_EQ(waiting(), 1U);
  std::filesystem::permissions(in_ + "/.done", std::filesystem::perms(0755));
  steady_.advance(settings_.directory()->poll);
  look();
  EXPECT_THAT(in(".done"), ElementsAre("a.manifest", "a.pki"));
  EXPECT_THAT(ingress_->looked_at().stuck, IsEmpty());
  EXPECT_EQ(waiting(), 1U);
}

TEST_F(ReadyRulesTest, AListThatCannotBePutAwayIsNotDepositedAgainWhenItsJobsAreForgotten) {
  start(ReadyRule::manifest);
  put("a.pki", request(1));
  put("b.pki", request(2));
  put("a.manifest", digest(request(1)) + "  a.pki\n" + digest(request(2)) + "  b.pki\n");
  const AsNobody nobody(directory_.path());
  if (!nobody.ok()) GTEST_SKIP() << "needs root, or an account without rights";
  std::filesystem::permissions(in_ + "/.done", std::filesystem::perms(0555));
  EXPECT_EQ(look().deposited, 2U);
  const auto leases = queue_.take(2).value();
  for (const auto& lease : leases) {
    ASSERT_THAT(queue_.finish({&lease.job.id, 1}, "answered"), IsOk());
  }
  wall_.advance(1h);
  ASSERT_EQ(queue_.purge(wall_.now()).value(), 2U);
  for (const bool anew : {false, true}) {
    steady_.advance(settings_.directory()->poll);
    if (anew) start(ReadyRule::manifest);
    EXPECT_EQ(look().deposited, 0U);
    EXPECT_THAT(jobs(), IsEmpty());
    EXPECT_THAT(ingress_->looked_at().stuck, SizeIs(1));
  }
  // Nor does it go back to `in` when somebody has taken away a part of it.
  std::filesystem::remove(in_ + "/b.pki");
  steady_.advance(settings_.directory()->poll);
  EXPECT_EQ(look().stuck, 1U);
  EXPECT_THAT(in(), ElementsAre("a.pki"));
  std::filesystem::permissions(in_ + "/.done", std::filesystem::perms(0755));
  steady_.advance(settings_.directory()->poll);
  EXPECT_EQ(look().stuck, 0U);
  EXPECT_THAT(in(".work"), IsEmpty());
  EXPECT_THAT(in(".done"), ElementsAre("a.manifest", "a.pki"));
  EXPECT_THAT(jobs(), IsEmpty());
}

TEST_F(ReadyRulesTest, TheSameListCanBePutInAgainAsOftenAsOneLikes) {
  start(ReadyRule::manifest);
  for (std::size_t times = 1; times <= 5; ++times) {
    put("a.pki", request(1));
    put("all.manifest", digest(request(1)) + "  a.pki\n");
    EXPECT_EQ(look().deposited, 1U);
    EXPECT_THAT(in(), IsEmpty());
    EXPECT_THAT(in(".work"), IsEmpty());
    EXPECT_THAT(in(".done"), SizeIs(2 * times));
    EXPECT_THAT(ingress_->looked_at().stuck, IsEmpty());
  }
}

// What its octets are in PEM is not what the job has.
TEST_F(ReadyRulesTest, ARefusedFileOfAListIsFoundInDoneByWhateverNameItGot) {
  start(ReadyRule::manifest);
  const std::string pem = "-----BEGIN CMP-----\nMAMCAQU=\n-----END CMP-----\n";
  for (std::size_t times = 1; times <= 4; ++times) {
    put("a.pki", pem);
    put("all.manifest", digest(pem) + "  a.pki\n");
    EXPECT_EQ(look().deposited, 1U);
  }
  const auto leases = queue_.take(4).value();
  ASSERT_THAT(leases, SizeIs(4));
  for (const auto& lease : leases) {
    ASSERT_THAT(queue_.hold(lease.job.id, "not a PKIMessage"), IsOk());
  }
  steady_.advance(settings_.directory()->poll);
  look();
  EXPECT_THAT(in(".done"), SizeIs(4)) << "the lists";
  EXPECT_THAT(in(".quarantine"), SizeIs(8)) << "each with its reason";
}

TEST_F(ReadyRulesTest, FoldersBesideListsAreSpokenOf) {
  start(ReadyRule::manifest);
  std::filesystem::create_directory(in_ + "/archive");
  steady_.advance(settings_.directory()->poll);
  look();
  EXPECT_EQ(note_on("folders"), "what lies in folders is not taken: archive in " + in_);
  EXPECT_EQ(note_on("unlisted"), "");
}

TEST_F(ReadyRulesTest, WhatIsNoListInWorkStopsNothing) {
  start(ReadyRule::manifest);
  write_in_place(in_ + "/.work/old.manifest", "a request of the time before the rule was changed");
  put("a.pki", request(1));
  put("all.manifest", digest(request(1)) + "  a.pki\n");
  start(ReadyRule::manifest);
  look_later();
  EXPECT_EQ(waiting(), 1U);
  EXPECT_THAT(in(".work"), IsEmpty());
  EXPECT_THAT(in(".quarantine"), ElementsAre("old.manifest", "old.manifest.reason.txt"));
}

TEST_F(ReadyRulesTest, AListThatCannotBeReadIsNotPutAside) {
  start(ReadyRule::manifest);
  put("a.pki", request(1));
  put("all.manifest", digest(request(1)) + "  a.pki\n");
  const AsNobody nobody(directory_.path());
  if (!nobody.ok()) GTEST_SKIP() << "needs root, or an account without rights";
  forbid(in_ + "/all.manifest");
  look_twice();
  look_later();
  EXPECT_THAT(in(), SizeIs(2));
  ASSERT_THAT(ingress_->looked_at().stuck, SizeIs(1));
  EXPECT_THAT(ingress_->looked_at().stuck[0].why, HasSubstr("Permission denied"));
  allow(in_ + "/all.manifest");
  EXPECT_EQ(look_later().deposited, 1U);
}

TEST_F(ReadyRulesTest, AListedFileThatCannotBeReadIsNotADamagedOne) {
  start(ReadyRule::manifest);
  put("a.pki", request(1));
  const AsNobody nobody(directory_.path());
  if (!nobody.ok()) GTEST_SKIP() << "needs root, or an account without rights";
  forbid(in_ + "/a.pki");
  put("all.manifest", digest(request(1)) + "  a.pki\n");
  look_twice();
  ASSERT_THAT(ingress_->looked_at().stuck, SizeIs(1));
  EXPECT_THAT(ingress_->looked_at().stuck[0].why, HasSubstr("Permission denied"));
  allow(in_ + "/a.pki");
  EXPECT_EQ(look_later().deposited, 1U) << "it is read again though it looks the same";
}

TEST_F(ReadyRulesTest, AMarkerThatCannotBeReadIsNotAWrongOne) {
  start(ReadyRule::marker);
  put("x.pki", request(1));
  put("x.pki.done", digest(request(1)));
  const AsNobody nobody(directory_.path());
  if (!nobody.ok()) GTEST_SKIP() << "needs root, or an account without rights";
  forbid(in_ + "/x.pki.done");
  look_twice();
  look_later();
  EXPECT_THAT(in(), SizeIs(2));
  ASSERT_THAT(ingress_->looked_at().stuck, SizeIs(1));
  EXPECT_THAT(ingress_->looked_at().stuck[0].why, HasSubstr("Permission denied"));
  allow(in_ + "/x.pki.done");
  steady_.advance(settings_.directory()->poll);
  EXPECT_EQ(look().deposited, 1U);
}

TEST_F(ReadyRulesTest, ADiskWhoseRoomCannotBeSeenIsSpokenOfAndStopsNothing) {
  settings_.limits.disks = {directory_ / "nowhere"};
  settings_.limits.min_free = 1;
  start(ReadyRule::rename);
  put("x.pki", request(1));
  EXPECT_EQ(look().deposited, 1U);
  EXPECT_THAT(note(), HasSubstr("min_free cannot be kept: asking for the room"));
  std::filesystem::create_directory(directory_ / "nowhere");
  look();
  EXPECT_EQ(note(), "");
}

TEST_F(ReadyRulesTest, AFullDiskLeavesInputWhereItIsAndSaysSoOnce) {
  settings_.limits.disks = {directory_.path()};
  settings_.limits.min_free = std::size_t{1} << 60U;
  start(ReadyRule::rename);
  put("x.pki", request(1));
  const auto intake = look();
  EXPECT_EQ(intake.deposited, 0U);
  EXPECT_EQ(intake.stuck, 1U);
  EXPECT_FALSE(intake.paused) << "nothing to wait for in a batch run";
  EXPECT_THAT(in(), ElementsAre("x.pki"));
  EXPECT_THAT(note(), HasSubstr("nearly full"));
}

TEST_F(ReadyRulesTest, AFullQueueLeavesInputWhereItIsUntilItIsWorkedOff) {
  settings_.limits.max_pending = 3;
  start(ReadyRule::rename);
  for (int i = 0; i < 5; ++i) put("f" + std::to_string(i) + ".pki", request(i));
  EXPECT_EQ(look().deposited, 3U);
  EXPECT_TRUE(look().paused);
  EXPECT_THAT(in(), SizeIs(2));
  EXPECT_THAT(note(), HasSubstr("max_pending is 3"));
  const auto leases = queue_.take(2).value();
  for (const auto& lease : leases) {
    ASSERT_THAT(queue_.finish({&lease.job.id, 1}, "answered"), IsOk());
  }
  EXPECT_EQ(look().deposited, 0U) << "not asked again at once";
  steady_.advance(1s);
  EXPECT_EQ(look().deposited, 2U);
  const auto rest = queue_.take(10).value();
  for (const auto& lease : rest) {
    ASSERT_THAT(queue_.finish({&lease.job.id, 1}, "answered"), IsOk());
  }
  steady_.advance(20s);
  look();
  EXPECT_EQ(note(), "");
}

TEST_F(ReadyRulesTest, ARateIsKeptOverAnyTime) {
  settings_.limits.max_rate = 10;
  start(ReadyRule::rename);
  for (int i = 0; i < 50; ++i) put("f" + std::to_string(i) + ".pki", request(i));
  EXPECT_EQ(look().deposited, 10U);
  EXPECT_EQ(look().deposited, 0U);
  steady_.advance(500ms);
  EXPECT_EQ(look().deposited, 5U);
  steady_.advance(1h);
  EXPECT_EQ(look().deposited, 10U) << "an hour of silence is no credit";
  EXPECT_EQ(waiting(), 25U);
}

}  // namespace
}  // namespace cmpost
