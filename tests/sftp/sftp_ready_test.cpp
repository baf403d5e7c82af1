// When a file at a server is complete.
#include "tests/sftp/sftp_intake.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using SftpReadyRules = SftpIngressTest;

TEST_F(SftpReadyRules, AStableFileIsTakenAfterTwoLooksThatAreTheSame) {
  settings_.sftp()->ready = SftpReady::stable;
  server_.put("/in/a.pki", message(1), 1'700'000'000);
  EXPECT_EQ(poll().settling, 1U);
  steady_.advance(settings_.sftp()->settle - 1ms);
  EXPECT_EQ(poll().deposited, 0U);
  server_.put("/in/a.pki", message(2, 20), 1'700'000'000);  // still growing
  steady_.advance(1ms);
  EXPECT_EQ(poll().deposited, 0U);
  steady_.advance(settings_.sftp()->settle);
  EXPECT_EQ(poll().deposited, 1U);
  EXPECT_EQ(text_of(queue_.payload(jobs().front().id).value()), message(2, 20));
}

TEST_F(SftpReadyRules, HalfAMessageIsNotTakenUnderAnyRule) {
  for (const auto rule : {SftpReady::rename, SftpReady::stable}) {
    settings_.sftp()->ready = rule;
    restart();
    server_.put("/in/a.pki", message(1, 20).substr(0, 12));
    EXPECT_EQ(poll().deposited, 0U);
    server_.put("/in/a.pki", message(1, 20));
    EXPECT_EQ(poll_until_settled().deposited, 1U);
    EXPECT_THAT(server_.names("/in"), IsEmpty());
  }
}

TEST_F(SftpReadyRules, AnUploadThatHasStalledGetsTimeToGoOn) {
  for (const auto rule : {SftpReady::rename, SftpReady::stable}) {
    settings_.sftp()->ready = rule;
    restart();
    server_.put("/in/a.pki", message(1, 20).substr(0, 12));
    EXPECT_EQ(poll_until_settled().quarantined, 0U);
    steady_.advance(8 * settings_.sftp()->settle);
    EXPECT_EQ(poll().settling, 1U);
    server_.put("/in/a.pki", message(1, 20));
    EXPECT_EQ(poll_until_settled().deposited, 1U);
    server_.put("/in/b.pki", message(1, 20).substr(0, 12));
    poll_until_settled();
    steady_.advance(10 * settings_.sftp()->settle);
    EXPECT_EQ(poll().quarantined, 1U);
  }
}

TEST_F(SftpReadyRules, AFileThatIsAsItsMarkerSaysIsNotWaitedForToGrow) {
  settings_.sftp()->ready = SftpReady::marker;
  const auto cut_off = message(1, 20).substr(0, 12);
  server_.put("/in/a.pki", cut_off);
  server_.put("/in/a.pki.ok", to_hex(sha256(view_of(cut_off))) + "  a.pki\n");
  EXPECT_EQ(poll_until_settled().quarantined, 1U);
  EXPECT_THAT(jobs(JobState::held).front().reason, HasSubstr("cut off"));
}

TEST_F(SftpReadyRules, UnfinishedAndHiddenNamesAreLeftAlone) {
  for (const auto* name : {".a.pki", "a.pki.part", "a.pki.filepart", "~a", "a.tmp"}) {
    server_.put(std::string("/in/") + name, message(1));
  }
  EXPECT_EQ(poll_until_settled().deposited, 0U);
  EXPECT_THAT(server_.names("/in"), SizeIs(5));
}

TEST_F(SftpReadyRules, AMarkerSaysThatAFileIsComplete) {
  settings_.sftp()->ready = SftpReady::marker;
  server_.put("/in/a.pki", message(1));
  EXPECT_EQ(poll_until_settled().deposited, 0U);
  server_.put("/in/a.pki.done", "");
  EXPECT_EQ(poll().deposited, 1U);
  EXPECT_THAT(server_.names("/in"), IsEmpty());
}

TEST_F(SftpReadyRules, AMarkerWithADigestIsChecked) {
  settings_.sftp()->ready = SftpReady::marker;
  server_.put("/in/a.pki", message(1));
  server_.put("/in/a.pki.ok", to_hex(sha256(view_of(message(1)))) + "  a.pki\n");
  server_.put("/in/b.pki", message(2));
  server_.put("/in/b.pki.ok", to_hex(sha256(view_of(message(1)))) + "\n");
  EXPECT_EQ(poll().deposited, 1U);
  EXPECT_EQ(poll_until_settled().quarantined, 0U) << "the marker may be the first to come";
  steady_.advance(9 * settings_.sftp()->settle);
  EXPECT_EQ(poll().quarantined, 1U);
  EXPECT_THAT(server_.names("/in/quarantine"), ElementsAre("b.pki", "b.pki.reason.txt"));
  EXPECT_THAT(jobs(JobState::held).front().reason, HasSubstr("another SHA-256"));
}

TEST_F(SftpReadyRules, BadFilesGoToQuarantineWithAReasonWhenTheyHaveSettled) {
  server_.put("/in/large.pki", std::string(101, 'x'));
  server_.put("/in/text.txt", "Dear CA");
  server_.put("/in/empty.pki", "");
  server_.put("/in/good.pki", message(1));
  EXPECT_EQ(poll().quarantined, 0U);
  steady_.advance(settings_.sftp()->settle);
  EXPECT_EQ(poll().quarantined, 2U) << "an empty one may grow";
  steady_.advance(9 * settings_.sftp()->settle);
  EXPECT_EQ(poll().quarantined, 1U);
  EXPECT_THAT(server_.names("/in"), IsEmpty());
  EXPECT_THAT(server_.names("/in/quarantine"), SizeIs(6));
  EXPECT_THAT(server_.contents("/in/quarantine/large.pki.reason.txt").value_or(""),
              HasSubstr("101 octets, more than the limit of 100"));
  EXPECT_THAT(jobs(JobState::held), SizeIs(3));
  EXPECT_THAT(jobs(), SizeIs(1));
}

}  // namespace
}  // namespace cmpost
