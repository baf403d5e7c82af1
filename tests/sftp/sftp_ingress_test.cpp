// What becomes of files at a server that is honest.
#include "sftp/sftp_ingress.h"

#include "tests/sftp/sftp_intake.h"
#include "tests/support/no_more_threads.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

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
  settings_.sftp()->after = SftpAfter::rename;
  server_.put("/in/a.pki", message(1));
  EXPECT_EQ(poll().deposited, 1U);
  EXPECT_THAT(server_.names("/in"), ElementsAre("a.pki.taken"));
  restart();
  settings_.sftp()->after = SftpAfter::remove;
  server_.put("/in/b.pki", message(2));
  server_.remove("/in/a.pki.taken");
  EXPECT_EQ(poll().deposited, 1U);
  EXPECT_THAT(server_.names("/in"), IsEmpty());
  EXPECT_THAT(server_.names("/in/done"), IsEmpty());
  restart();
  settings_.sftp()->after = SftpAfter::leave_alone;
  server_.read_only = true;
  server_.put("/in/c.pki", message(3));
  EXPECT_EQ(poll().deposited, 1U);
  EXPECT_EQ(poll().deposited, 0U);
  EXPECT_THAT(server_.names("/in"), ElementsAre("c.pki"));
}

TEST_F(SftpIngressTest, TheLedgerOfWhatWasTakenSurvivesARestartAndForgetsWhatIsGone) {
  settings_.sftp()->after = SftpAfter::leave_alone;
  for (int i = 0; i < 5; ++i) server_.put("/in/" + std::to_string(i) + ".pki", message(i));
  EXPECT_EQ(poll().deposited, 5U);
  restart();
  server_.put("/in/5.pki", message(5));
  EXPECT_EQ(poll().deposited, 1U);
  for (int i = 0; i < 4; ++i) server_.remove("/in/" + std::to_string(i) + ".pki");
  EXPECT_EQ(poll().deposited, 0U);
  restart();
  EXPECT_EQ(TakenLedger::open(settings_.sftp()->ledger).value().size(), 2U);
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

TEST_F(SftpIngressTest, FoldersAreSpokenOf) {
  poll();
  EXPECT_THAT(read_notes(settings_.state).value(), IsEmpty()) << "but not our own";
  server_.directory("/in/requests");
  poll();
  ASSERT_THAT(read_notes(settings_.state).value(), SizeIs(1));
  EXPECT_EQ(read_notes(settings_.state).value()[0].text,
            "what lies in folders is not taken: requests in /in");
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

TEST_F(SftpIngressTest, WhereNoThreadsAreToBeHadOneConnectionBringsAll) {
  settings_.sftp()->sessions = 4;
  for (int i = 0; i < 40; ++i) server_.put("/in/" + std::to_string(i) + ".pki", message(i));
  const NoMoreThreads none;
  EXPECT_EQ(poll().deposited, 40U);
}

TEST_F(SftpIngressTest, ALargeFileComesWhole) {
  settings_.max_message = 1U << 20U;
  std::string large = {'\x30', '\x83', '\x0b', '\x00', '\x00'};
  for (int i = 0; i < 0x0b0000; ++i) large += static_cast<char>(i % 251);
  server_.put("/in/a.pki", large);
  EXPECT_EQ(poll().deposited, 1U);
  EXPECT_EQ(text_of(queue_.payload(jobs().front().id).value()), large);
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
