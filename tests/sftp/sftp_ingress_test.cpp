// What becomes of files at a server, at one that is honest and at one that is not.
#include "sftp/sftp_ingress.h"

#include "base/log.h"
#include "tests/sftp/memory_server.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_job_queue.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// The DER of something, `n` octets long in all (5 to 120).
std::string message(int number, int size = 10) {
  std::string text = {'\x30', static_cast<char>(size - 2), '\x04', static_cast<char>(size - 4)};
  text += static_cast<char>(number);
  text.resize(static_cast<std::size_t>(size), 'm');
  return text;
}

class SftpIngressTest : public ::testing::Test {
 protected:
  SftpIngressTest() {
    log::configure({.level = log::Level::error});
    settings_.name = "factory";
    settings_.kind = ChannelKind::sftp;
    settings_.max_message = 100;
    settings_.state = directory_ / "state";
    settings_.sftp.fetch.path = "/in";
    settings_.sftp.send.path = "/out";
    settings_.sftp.ready = SftpReady::rename;
    settings_.sftp.ledger = directory_ / "ledger";
  }
  SftpIngress& ingress() {
    if (!ingress_) {
      ingress_ = std::make_unique<SftpIngress>(settings_, queue_, wall_, steady_, server_.dial());
    }
    return *ingress_;
  }
  // As after a restart of the service.
  void restart() { ingress_.reset(); }
  Intake poll() {
    auto intake = ingress().poll({});
    EXPECT_THAT(intake, IsOk());
    return intake.value_or(Intake{});
  }
  Error failing_poll() {
    const auto intake = ingress().poll({});
    EXPECT_FALSE(intake.has_value());
    return intake ? Error{} : intake.error();
  }
  // Two looks that lie far enough apart.
  Intake poll_until_settled() {
    const auto first = poll();
    steady_.advance(settings_.sftp.settle);
    auto both = poll();
    both.deposited += first.deposited;
    both.quarantined += first.quarantined;
    return both;
  }
  std::vector<JobStatus> jobs(JobState state = JobState::waiting) {
    return queue_.list({.state = state, .channel = {}}).value();
  }

  TemporaryDirectory directory_;
  MemoryServer server_;
  FakeClock wall_, steady_;
  FakeJobQueue queue_{wall_};
  ChannelSettings settings_;
  std::unique_ptr<SftpIngress> ingress_;
};

TEST_F(SftpIngressTest, TakesAFileAndMovesItToDone) {
  server_.put("/in/dev1.pki", message(1));
  const auto intake = poll();
  EXPECT_EQ(intake.deposited, 1U);
  EXPECT_EQ(intake.known, 0U);
  ASSERT_THAT(jobs(), SizeIs(1));
  const auto job = jobs().front();
  EXPECT_EQ(job.envelope.source, "dev1.pki");
  EXPECT_EQ(job.envelope.reply.name, "dev1");
  EXPECT_EQ(job.envelope.reply.channel, "factory");
  EXPECT_EQ(text_of(queue_.payload(job.id).value()), message(1));
  EXPECT_THAT(server_.names("/in"), IsEmpty());
  EXPECT_EQ(server_.contents("/in/done/dev1.pki"), message(1));
}

TEST_F(SftpIngressTest, RenamesRemovesOrLeavesWhereTheSettingsSaySo) {
  settings_.sftp.after = SftpAfter::rename;
  server_.put("/in/a.pki", message(1));
  EXPECT_EQ(poll().deposited, 1U);
  EXPECT_THAT(server_.names("/in"), ElementsAre("a.pki.taken"));
  restart();
  settings_.sftp.after = SftpAfter::remove;
  server_.put("/in/b.pki", message(2));
  server_.remove("/in/a.pki.taken");
  EXPECT_EQ(poll().deposited, 1U);
  EXPECT_THAT(server_.names("/in"), IsEmpty());
  EXPECT_THAT(server_.names("/in/done"), IsEmpty());
  restart();
  settings_.sftp.after = SftpAfter::leave_alone;
  server_.read_only = true;
  server_.put("/in/c.pki", message(3));
  EXPECT_EQ(poll().deposited, 1U);
  EXPECT_EQ(poll().deposited, 0U);
  EXPECT_THAT(server_.names("/in"), ElementsAre("c.pki"));
}

TEST_F(SftpIngressTest, TheLedgerOfWhatWasTakenSurvivesARestartAndForgetsWhatIsGone) {
  settings_.sftp.after = SftpAfter::leave_alone;
  for (int i = 0; i < 5; ++i) server_.put("/in/" + std::to_string(i) + ".pki", message(i));
  EXPECT_EQ(poll().deposited, 5U);
  restart();
  server_.put("/in/5.pki", message(5));
  EXPECT_EQ(poll().deposited, 1U);
  for (int i = 0; i < 4; ++i) server_.remove("/in/" + std::to_string(i) + ".pki");
  EXPECT_EQ(poll().deposited, 0U);
  restart();
  EXPECT_EQ(TakenLedger::open(settings_.sftp.ledger).value().size(), 2U);
  EXPECT_EQ(poll().deposited, 0U);
  // Another one of that name is another one.
  server_.put("/in/5.pki", message(6));
  EXPECT_EQ(poll().deposited, 1U);
}

TEST_F(SftpIngressTest, AFileThatWasTakenBeforeACrashIsKnownAndOnlyMoved) {
  server_.put("/in/a.pki", message(1), 1'700'000'000);
  EXPECT_EQ(poll().known, 0U);
  server_.remove("/in/done/a.pki");
  server_.put("/in/a.pki", message(1), 1'700'000'000);
  restart();
  const auto intake = poll();
  EXPECT_EQ(intake.deposited, 1U);
  EXPECT_EQ(intake.known, 1U);
  EXPECT_THAT(server_.names("/in"), IsEmpty());
}

TEST_F(SftpIngressTest, AStableFileIsTakenAfterTwoLooksThatAreTheSame) {
  settings_.sftp.ready = SftpReady::stable;
  server_.put("/in/a.pki", message(1), 1'700'000'000);
  EXPECT_EQ(poll().settling, 1U);
  steady_.advance(settings_.sftp.settle - 1ms);
  EXPECT_EQ(poll().deposited, 0U);
  server_.put("/in/a.pki", message(2, 20), 1'700'000'000);  // still growing
  steady_.advance(1ms);
  EXPECT_EQ(poll().deposited, 0U);
  steady_.advance(settings_.sftp.settle);
  EXPECT_EQ(poll().deposited, 1U);
  EXPECT_EQ(text_of(queue_.payload(jobs().front().id).value()), message(2, 20));
}

TEST_F(SftpIngressTest, HalfAMessageIsNotTakenUnderAnyRule) {
  for (const auto rule : {SftpReady::rename, SftpReady::stable}) {
    settings_.sftp.ready = rule;
    restart();
    server_.put("/in/a.pki", message(1, 20).substr(0, 12));
    EXPECT_EQ(poll().deposited, 0U);
    server_.put("/in/a.pki", message(1, 20));
    EXPECT_EQ(poll_until_settled().deposited, 1U);
    EXPECT_THAT(server_.names("/in"), IsEmpty());
  }
}

TEST_F(SftpIngressTest, UnfinishedAndHiddenNamesAreLeftAlone) {
  for (const auto* name : {".a.pki", "a.pki.part", "a.pki.filepart", "~a", "a.tmp"}) {
    server_.put(std::string("/in/") + name, message(1));
  }
  EXPECT_EQ(poll_until_settled().deposited, 0U);
  EXPECT_THAT(server_.names("/in"), SizeIs(5));
}

TEST_F(SftpIngressTest, AMarkerSaysThatAFileIsComplete) {
  settings_.sftp.ready = SftpReady::marker;
  server_.put("/in/a.pki", message(1));
  EXPECT_EQ(poll_until_settled().deposited, 0U);
  server_.put("/in/a.pki.done", "");
  EXPECT_EQ(poll().deposited, 1U);
  EXPECT_THAT(server_.names("/in"), IsEmpty());
}

TEST_F(SftpIngressTest, AMarkerWithADigestIsChecked) {
  settings_.sftp.ready = SftpReady::marker;
  server_.put("/in/a.pki", message(1));
  server_.put("/in/a.pki.ok", to_hex(sha256(view_of(message(1)))) + "  a.pki\n");
  server_.put("/in/b.pki", message(2));
  server_.put("/in/b.pki.ok", to_hex(sha256(view_of(message(1)))) + "\n");
  EXPECT_EQ(poll().deposited, 1U);
  steady_.advance(settings_.sftp.settle);
  EXPECT_EQ(poll().quarantined, 1U);
  EXPECT_THAT(server_.names("/in/quarantine"), ElementsAre("b.pki", "b.pki.reason.txt"));
  EXPECT_THAT(jobs(JobState::held).front().reason, HasSubstr("another SHA-256"));
}

TEST_F(SftpIngressTest, BadFilesGoToQuarantineWithAReasonWhenTheyHaveSettled) {
  server_.put("/in/large.pki", std::string(101, 'x'));
  server_.put("/in/text.txt", "Dear CA");
  server_.put("/in/empty.pki", "");
  server_.put("/in/good.pki", message(1));
  EXPECT_EQ(poll().quarantined, 0U);
  steady_.advance(settings_.sftp.settle);
  EXPECT_EQ(poll().quarantined, 3U);
  EXPECT_THAT(server_.names("/in"), IsEmpty());
  EXPECT_THAT(server_.names("/in/quarantine"), SizeIs(6));
  EXPECT_THAT(server_.contents("/in/quarantine/large.pki.reason.txt").value_or(""),
              HasSubstr("101 octets, more than the limit of 100"));
  EXPECT_THAT(jobs(JobState::held), SizeIs(3));
  EXPECT_THAT(jobs(), SizeIs(1));
}

TEST_F(SftpIngressTest, WhatWasLetGoOfAndIsPutInAgainIsANewArrival) {
  server_.put("/in/a.pki", message(1), 1'700'000'123);
  EXPECT_EQ(poll().known, 0U);
  wall_.advance(1s);
  server_.put("/in/a.pki", message(1), 1'700'000'123);
  const auto again = poll();
  EXPECT_EQ(again.deposited, 1U);
  EXPECT_EQ(again.known, 0U);
  EXPECT_THAT(jobs(), SizeIs(2));
  // After a restart it may just as well be what a crash has left.
  restart();
  server_.put("/in/a.pki", message(1), 1'700'000'123);
  EXPECT_EQ(poll().known, 1U);
  EXPECT_THAT(server_.names("/in"), IsEmpty());
}

TEST_F(SftpIngressTest, AFileThatBreaksTheConnectionStopsNobodyForLong) {
  settings_.sftp.sessions = 1;
  for (int i = 0; i < 20; ++i) {
    server_.put("/in/f" + std::to_string(10 + i) + ".pki", message(i));
  }
  server_.put("/in/f15x.pki", message(99), 1'700'000'006);
  std::size_t asked = 0;
  server_.before = [&](std::uint8_t type, const std::string& path) {
    constexpr std::uint8_t kOpen = 3;
    if (type != kOpen || path != "/in/f15x.pki") return;
    ++asked;
    server_.break_after = 0;
  };
  const auto dial = [this, plain = server_.dial()](SocketWatchdog& watchdog) {
    server_.break_after = -1;
    return plain(watchdog);
  };
  ingress_ = std::make_unique<SftpIngress>(settings_, queue_, wall_, steady_, dial);
  EXPECT_EQ(poll().deposited, 20U);
  EXPECT_THAT(server_.names("/in"), ElementsAre("f15x.pki"));
  for (int i = 0; i < 5; ++i) {
    steady_.advance(settings_.sftp.poll);
    poll();
  }
  EXPECT_EQ(poll().stuck, 1U);
  const auto held = jobs(JobState::held);
  ASSERT_THAT(held, SizeIs(1));
  EXPECT_EQ(held[0].envelope.source, "f15x.pki");
  EXPECT_THAT(held[0].reason, HasSubstr("breaks the connection"));
  const auto asked_before = asked;
  poll();
  EXPECT_EQ(asked, asked_before) << "it rests";
  server_.before = nullptr;
  steady_.advance(1h);
  EXPECT_EQ(poll().deposited, 1U);
  EXPECT_THAT(jobs(JobState::held), IsEmpty());
}

TEST_F(SftpIngressTest, AFileThatTheProcessorRefusesFollowsToQuarantine) {
  server_.put("/in/a.pki", message(1));
  server_.put("/in/b.pki", message(2));
  EXPECT_EQ(poll().deposited, 2U);
  const auto leases = queue_.take(10).value();
  ASSERT_THAT(queue_.hold(leases[0].job.id, "not a PKIMessage"), IsOk());
  poll();
  EXPECT_THAT(server_.names("/in/done"), SizeIs(1));
  const auto aside = server_.names("/in/quarantine");
  ASSERT_THAT(aside, SizeIs(2));
  EXPECT_THAT(server_.contents("/in/quarantine/" + aside[1]).value_or(""),
              HasSubstr("not a PKIMessage"));
  // Another file of that name is another one.
  server_.put("/in/a.pki", message(3));
  EXPECT_EQ(poll().deposited, 1U);
  EXPECT_THAT(server_.names("/in/quarantine"), SizeIs(2));
}

TEST_F(SftpIngressTest, FoldersThatSomebodyRemovesAreMadeAgain) {
  poll();
  server_.remove("/in/done");
  server_.put("/in/a.pki", message(1));
  EXPECT_THAT(failing_poll().what, HasSubstr("moving"));
  poll();
  EXPECT_THAT(server_.names("/in/done"), SizeIs(1));
  EXPECT_THAT(jobs(), SizeIs(1));
}

TEST_F(SftpIngressTest, AFileOfANameThatWasUsedBeforeOverwritesNothing) {
  for (const bool careless : {false, true}) {
    server_.renames_over = careless;
    server_.put("/in/a.pki", message(1 + careless));
    EXPECT_EQ(poll().deposited, 1U);
  }
  server_.put("/in/a.pki", message(7));
  EXPECT_EQ(poll().deposited, 1U);
  EXPECT_THAT(server_.names("/in/done"), SizeIs(3));
}

TEST_F(SftpIngressTest, AFileThatReplacesOneWhileItIsTakenIsTakenToo) {
  for (const bool same_second : {false, true}) {
    server_.put("/in/a.pki", message(1), 1'700'000'000);
    bool replaced = false;
    server_.before = [&](std::uint8_t type, const std::string& path) {
      constexpr std::uint8_t kRename = 18;
      if (type != kRename || path != "/in/a.pki" || replaced) return;
      replaced = true;
      server_.put(path, message(2), same_second ? 1'700'000'000 : 1'700'000'001);
    };
    restart();
    poll();
    EXPECT_TRUE(replaced);
    EXPECT_THAT(server_.names("/in"), ElementsAre("a.pki"));
    EXPECT_EQ(poll().deposited, 1U);
    EXPECT_THAT(server_.names("/in"), IsEmpty());
    EXPECT_EQ(server_.contents("/in/done/a.pki"), message(2));
    server_.before = {};
    server_.remove("/in/done/a.pki");
  }
  EXPECT_THAT(jobs(), SizeIs(3));  // a.pki of 00, of 01, and of 00 again with other contents
}

TEST_F(SftpIngressTest, AServerThatMayNotBeChangedIsTroubleAndNothingIsTakenTwice) {
  poll();
  server_.read_only = true;
  for (int i = 0; i < 3; ++i) server_.put("/in/" + std::to_string(i) + ".pki", message(i));
  const auto error = failing_poll();
  EXPECT_THAT(error.what, HasSubstr("permission denied"));
  EXPECT_THAT(jobs(), SizeIs(3));
  std::size_t reads = 0;
  server_.before = [&](std::uint8_t type, const std::string&) { reads += type == 5 ? 1 : 0; };
  failing_poll();
  EXPECT_EQ(reads, 0U);
  server_.read_only = false;
  EXPECT_EQ(poll().deposited, 0U);
  EXPECT_THAT(server_.names("/in"), IsEmpty());
  EXPECT_THAT(jobs(), SizeIs(3));
}

TEST_F(SftpIngressTest, NothingIsLetGoOfBeforeTheQueueHasIt) {
  server_.put("/in/a.pki", message(1));
  queue_.fail_with({Recovery::retry, "the disk is full", {}});
  failing_poll();
  EXPECT_THAT(server_.names("/in"), ElementsAre("a.pki"));
  queue_.go_on();
  EXPECT_EQ(poll().deposited, 1U);
}

TEST_F(SftpIngressTest, GroupsAreDepositedWithOneCommit) {
  for (int i = 0; i < 100; ++i) server_.put("/in/" + std::to_string(i) + ".pki", message(i));
  EXPECT_EQ(poll().deposited, 100U);
  EXPECT_EQ(queue_.puts(), 1U);
  EXPECT_THAT(server_.names("/in/done"), SizeIs(100));
}

TEST_F(SftpIngressTest, ShortReadsAreCompleted) {
  server_.most_per_read = 7;
  settings_.max_message = 100'000;
  std::string large = {'\x30', '\x82', '\x11', '\x70'};  // 4464 octets follow
  large.resize(4 + 4464, 'l');
  server_.put("/in/a.pki", large);
  EXPECT_EQ(poll().deposited, 1U);
  EXPECT_EQ(text_of(queue_.payload(jobs().front().id).value()), large);
}

TEST_F(SftpIngressTest, ALargeFileComesWhole) {
  settings_.max_message = 1U << 20U;
  std::string large = {'\x30', '\x83', '\x0b', '\x00', '\x00'};
  for (int i = 0; i < 0x0b0000; ++i) large += static_cast<char>(i % 251);
  server_.put("/in/a.pki", large);
  EXPECT_EQ(poll().deposited, 1U);
  EXPECT_EQ(text_of(queue_.payload(jobs().front().id).value()), large);
}

TEST_F(SftpIngressTest, NamesThatWouldLeadElsewhereAreNeverUsed) {
  server_.put("/secret.pki", message(1));
  server_.extra_names = {"../secret.pki",
                         "/secret.pki",
                         "..",
                         "",
                         std::string("a\0b.pki", 7),
                         "a\nb.pki",
                         std::string(300, 'n') + ".pki"};
  server_.put("/in/good.pki", message(2));
  std::vector<std::string> touched;
  server_.before = [&](std::uint8_t, const std::string& path) { touched.push_back(path); };
  EXPECT_EQ(poll_until_settled().deposited, 1U);
  for (const auto& path : touched) EXPECT_THAT(path, ::testing::Not(HasSubstr("secret")));
  EXPECT_EQ(server_.contents("/secret.pki"), message(1));
  EXPECT_EQ(poll().stuck, 6U);
}

TEST_F(SftpIngressTest, AListingWithoutAnEndEnds) {
  server_.endless_listing = true;
  server_.piece = 1U << 20U;
  server_.put("/in/good.pki", message(2));
  settings_.sftp.ready = SftpReady::stable;
  EXPECT_LE(poll().settling, 100'001U);
}

TEST_F(SftpIngressTest, SizesThatLieCostNoMemoryAndTakeNothing) {
  server_.put("/in/a.pki", message(1, 50));
  server_.told_size = std::uint64_t{1} << 62U;
  EXPECT_EQ(poll().deposited, 0U);
  server_.told_size = 10;  // longer than told
  EXPECT_EQ(poll().deposited, 0U);
  server_.told_size = 90;  // shorter than told
  EXPECT_EQ(poll().deposited, 0U);
  server_.told_size.reset();
  EXPECT_EQ(poll().deposited, 1U);
}

TEST_F(SftpIngressTest, MoreDataThanWasAskedForEndsTheConnection) {
  server_.put("/in/a.pki", message(1));
  server_.more_than_asked = 1;
  for (int tries = 0; tries < 3; ++tries) {
    const auto before = server_.connections;
    (void)ingress().poll({});
    EXPECT_GT(server_.connections, before);
  }
  ASSERT_THAT(jobs(JobState::held), SizeIs(1));
  EXPECT_THAT(jobs(JobState::held)[0].reason, HasSubstr("more data than was asked for"));
  server_.more_than_asked = 0;
  steady_.advance(1h);
  EXPECT_EQ(poll().deposited, 1U);
}

TEST_F(SftpIngressTest, WhereverAConnectionBreaksEachFileIsTakenOnce) {
  int requests = 0;
  bool broke = true;
  for (; broke && requests < 200; ++requests) {
    const auto name = "f" + std::to_string(requests);
    const auto before = jobs().size();
    server_.put("/in/" + name + ".pki", message(requests));
    server_.put("/in/" + name + "b.pki", message(requests, 20));
    restart();
    server_.break_after = requests;
    broke = !ingress().poll({}).has_value();
    server_.break_after = -1;
    poll();
    EXPECT_THAT(jobs(), SizeIs(before + 2)) << requests;
    EXPECT_THAT(server_.names("/in"), IsEmpty()) << requests;
  }
  EXPECT_GT(requests, 15);
}

TEST_F(SftpIngressTest, ARefusedLoginIsNotRepeatedAtOnce) {
  server_.refusal = DialFailure{{Recovery::hold, "login refused", {}}, true};
  EXPECT_EQ(failing_poll().what, "login refused");
  EXPECT_EQ(failing_poll().what, "login refused");
  EXPECT_EQ(server_.connections, 1U);
  steady_.advance(5s);
  failing_poll();
  EXPECT_EQ(server_.connections, 2U);
  steady_.advance(5s);
  failing_poll();
  EXPECT_EQ(server_.connections, 2U);
  server_.refusal.reset();
  steady_.advance(5s);
  poll();
}

TEST_F(SftpIngressTest, DirectoriesAndLinksAreNotTaken) {
  server_.directory("/in/sub");
  server_.directory("/in/sub.pki");
  server_.put("/in/link.pki", message(1));
  server_.set_mode("/in/link.pki", 0120777);
  EXPECT_EQ(poll_until_settled().deposited, 0U);
  EXPECT_EQ(poll().stuck, 2U);
}

TEST_F(SftpIngressTest, FilesComeAtTheRateOfTheChannelAndTheRestStaysAtTheServer) {
  settings_.limits.max_rate = 2;
  for (int i = 0; i < 5; ++i) server_.put("/in/dev" + std::to_string(i) + ".pki", message(i));
  EXPECT_EQ(poll().deposited, 2U);
  EXPECT_THAT(server_.names("/in"), SizeIs(3));
  steady_.advance(1s);
  const auto second = poll();
  EXPECT_EQ(second.deposited, 2U);
  EXPECT_TRUE(second.paused);
  steady_.advance(1s);
  EXPECT_EQ(poll().deposited, 1U);
  EXPECT_THAT(server_.names("/in"), IsEmpty());
}

TEST_F(SftpIngressTest, AFullDiskLeavesEveryFileWhereItIsAndNeedsHelp) {
  settings_.limits.min_free = std::size_t{1} << 60U;
  settings_.limits.disks = {directory_.path()};
  server_.put("/in/dev1.pki", message(1));
  EXPECT_EQ(poll().stuck, 1U);
  EXPECT_THAT(server_.names("/in"), ElementsAre("dev1.pki"));
  settings_.limits.min_free = 0;
  restart();
  EXPECT_EQ(poll().deposited, 1U);
}

}  // namespace
}  // namespace cmpost
