#include "mail/imap_source.h"

#include "mail/mail_ingress.h"
#include "tests/mail/dovecot.h"
#include "tests/mail/scripted_mailbox_server.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_job_queue.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::size_t kTen = 10;
const std::stop_token kNeverStopped;

// The one mail of a friendly server.
std::vector<MailHandle> listed(ImapSource& source) {
  auto mails = source.list(kTen, kNeverStopped);
  EXPECT_THAT(mails, IsOk());
  return mails.value_or(std::vector<MailHandle>());
}

Result<std::vector<MailHandle>> list_from(const MailboxScript& changes) {
  ScriptedMailboxServer server(friendly_imap(changes));
  ImapSource source(server.settings("imap"));
  return source.list(kTen, kNeverStopped);
}

TEST(ImapSource, NamesAnArrivalByAccountMailboxUidvalidityAndUid) {
  ScriptedMailboxServer server(friendly_imap());
  ImapSource source(server.settings("imap"));
  const auto mails = listed(source);
  ASSERT_THAT(mails, SizeIs(1));
  EXPECT_EQ(mails[0].arrival, "imap:ra@127.0.0.1/INBOX;UIDVALIDITY=3;UID=7");
  EXPECT_EQ(mails[0].size, 5U);
  EXPECT_EQ(source.fetch(mails[0], kTen, kNeverStopped).value(), to_bytes("hello"));
}

TEST(ImapSource, MovesMailsAndMakesTheFolderWhenItIsMissing) {
  ScriptedMailboxServer server(
      friendly_imap({{"UID MOVE", {"% NO [TRYCREATE] no such folder\r\n", "% OK moved\r\n"}}}));
  ImapSource source(server.settings("imap"));
  EXPECT_THAT(source.file_away(listed(source), MailPlace::done, kNeverStopped), IsOk());
  EXPECT_THAT(server.commands(), Contains("CREATE \"CMPost/Done\""));
  EXPECT_TRUE(server.heard("UID MOVE 7 \"CMPost/Done\""));
}

TEST(ImapSource, PutsFoldersWhereTheServerKeepsThem) {
  ScriptedMailboxServer server(friendly_imap(
      {{"CAPABILITY", {"* CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR MOVE NAMESPACE\r\n% OK\r\n"}},
       {"NAMESPACE", {"* NAMESPACE ((\"INBOX.\" \".\")) NIL NIL\r\n% OK\r\n"}}}));
  ImapSource source(server.settings("imap"));
  EXPECT_THAT(source.file_away(listed(source), MailPlace::quarantine, kNeverStopped), IsOk());
  EXPECT_THAT(server.commands(), Contains("UID MOVE 7 \"INBOX.CMPost.Quarantine\""));
}

TEST(ImapSource, WithoutMoveCopiesAndExpungesNothingElse) {
  ScriptedMailboxServer server(friendly_imap(
      {{"CAPABILITY", {"* CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR UIDPLUS\r\n% OK\r\n"}}}));
  ImapSource source(server.settings("imap"));
  EXPECT_THAT(source.file_away(listed(source), MailPlace::done, kNeverStopped), IsOk());
  const auto commands = server.commands();
  EXPECT_THAT(commands, Contains("UID COPY 7 \"CMPost/Done\""));
  EXPECT_THAT(commands, Contains("UID STORE 7 +FLAGS.SILENT (\\Deleted)"));
  EXPECT_THAT(commands, Contains("UID EXPUNGE 7"));
}

TEST(ImapSource, WithoutUidplusLeavesTheMarkedMail) {
  ScriptedMailboxServer server(
      friendly_imap({{"CAPABILITY", {"* CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR\r\n% OK\r\n"}}}));
  ImapSource source(server.settings("imap"));
  EXPECT_THAT(source.file_away(listed(source), MailPlace::done, kNeverStopped), IsOk());
  EXPECT_TRUE(server.heard("UID STORE 7"));
  EXPECT_FALSE(server.heard("EXPUNGE") || server.heard("UID EXPUNGE") || server.heard("CLOSE"));
}

TEST(ImapSource, FlagsWhatTheServerDoesNotMove) {
  ScriptedMailboxServer server(friendly_imap({{"UID MOVE", {"% NO not allowed\r\n"}}}));
  ImapSource source(server.settings("imap"));
  EXPECT_THAT(source.file_away(listed(source), MailPlace::done, kNeverStopped), IsOk());
  EXPECT_THAT(server.commands(), Contains("UID STORE 7 +FLAGS.SILENT ($CmpTaken)"));
}

TEST(ImapSource, AFailedFlagIsNoSuccess) {
  ScriptedMailboxServer server(friendly_imap(
      {{"UID MOVE", {"% NO not allowed\r\n"}}, {"UID STORE", {"% NO not allowed\r\n"}}}));
  ImapSource source(server.settings("imap"));
  EXPECT_THAT(source.file_away(listed(source), MailPlace::done, kNeverStopped),
              Fails(HasSubstr("can neither be moved")));
}

TEST(ImapSource, RemembersForeignMailsWhereTheServerKeepsNoKeywords) {
  ScriptedMailboxServer server(friendly_imap(
      {{"SELECT",
        {"* OK [PERMANENTFLAGS (\\Seen \\Deleted)] ok\r\n* OK [UIDVALIDITY 3] ok\r\n% OK\r\n"}}}));
  ImapSource source(server.settings("imap"));
  EXPECT_THAT(source.file_away(listed(source), MailPlace::foreign, kNeverStopped), IsOk());
  EXPECT_THAT(listed(source), IsEmpty());
  EXPECT_FALSE(server.heard("UID STORE"));
  EXPECT_THAT(server.commands(), Contains("UID SEARCH UNDELETED"));
}

TEST(ImapSource, ANewUidvalidityMakesOldHandlesMeanNothing) {
  ScriptedMailboxServer server(friendly_imap(
      {{"SELECT", {"* OK [UIDVALIDITY 3] ok\r\n% OK\r\n", "* OK [UIDVALIDITY 4] ok\r\n% OK\r\n"}},
       {"UID FETCH 7 (UID BODY.PEEK", {kHangUp}}}));
  ImapSource source(server.settings("imap"));
  const auto before = listed(source);
  ASSERT_THAT(before, SizeIs(1));
  EXPECT_THAT(source.fetch(before[0], kTen, kNeverStopped), Fails(HasSubstr("closed")));
  EXPECT_EQ(source.fetch(before[0], kTen, kNeverStopped).value(), std::nullopt);
  EXPECT_THAT(source.file_away(before, MailPlace::done, kNeverStopped), IsOk());
  EXPECT_FALSE(server.heard("UID MOVE"));
  const auto after = listed(source);
  ASSERT_THAT(after, SizeIs(1));
  EXPECT_NE(after[0].arrival, before[0].arrival);
}

TEST(ImapSource, AMailThatIsLargerThanItsSizeIsCut) {
  ScriptedMailboxServer server(friendly_imap(
      {{"UID FETCH 7 (UID BODY.PEEK", {"* 1 FETCH (UID 7 BODY[]<0> {4}\r\nhell)\r\n% OK\r\n"}}}));
  ImapSource source(server.settings("imap"));
  const auto mails = listed(source);
  ASSERT_THAT(mails, SizeIs(1));
  EXPECT_THAT(source.fetch(mails[0], 3, kNeverStopped).value().value(), SizeIs(4));
  EXPECT_THAT(server.commands(), Contains("UID FETCH 7 (UID BODY.PEEK[]<0.4>)"));
}

TEST(ImapSource, AServerThatSendsMoreThanWasAskedForIsLeft) {
  ScriptedMailboxServer server(friendly_imap(
      {{"UID FETCH 7 (UID BODY.PEEK", {"* 1 FETCH (UID 7 BODY[] {4000000000}\r\n"}}}));
  ImapSource source(server.settings("imap"));
  const auto mails = listed(source);
  ASSERT_THAT(mails, SizeIs(1));
  EXPECT_THAT(source.fetch(mails[0], kTen, kNeverStopped),
              Fails(HasSubstr("more than was asked for")));
}

TEST(ImapSource, AServerThatDiesWithinALiteralHasGivenNothing) {
  ScriptedMailboxServer server(
      friendly_imap({{"UID FETCH 7 (UID BODY.PEEK",
                      {"* 1 FETCH (UID 7 BODY[]<0> {5}\r\nhe" + kHangUp,
                       "* 1 FETCH (UID 7 BODY[]<0> {5}\r\nhello)\r\n% OK done\r\n"}}}));
  ImapSource source(server.settings("imap"));
  const auto mails = listed(source);
  ASSERT_THAT(mails, SizeIs(1));
  const auto cut = source.fetch(mails[0], kTen, kNeverStopped);
  EXPECT_THAT(cut, Fails(HasSubstr("closed")));
  EXPECT_EQ(cut.error().recovery, Recovery::retry);
  const auto again = listed(source);
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(again[0].arrival, mails[0].arrival);
  EXPECT_EQ(source.fetch(again[0], kTen, kNeverStopped).value(), to_bytes("hello"));
}

TEST(ImapSource, AnotherMailThanTheOneAskedForIsNotTaken) {
  ScriptedMailboxServer server(friendly_imap(
      {{"UID FETCH 7 (UID BODY.PEEK", {"* 1 FETCH (UID 8 BODY[] {5}\r\nother)\r\n% OK\r\n"}}}));
  ImapSource source(server.settings("imap"));
  const auto mails = listed(source);
  ASSERT_THAT(mails, SizeIs(1));
  EXPECT_EQ(source.fetch(mails[0], kTen, kNeverStopped).value(), std::nullopt);
}

TEST(ImapSource, TellsWhatIsWrongWithAServer) {
  EXPECT_THAT(list_from({{"UID SEARCH", {"* BYE going down\r\n" + kHangUp}}}),
              Fails(HasSubstr("BYE going down")));
  EXPECT_THAT(list_from({{"UID SEARCH", {"x9 OK done\r\n"}}}),
              Fails(HasSubstr("answered a command that was not given")));
  EXPECT_THAT(list_from({{"UID SEARCH", {"+ more\r\n"}}}), Fails(HasSubstr("wants more")));
  EXPECT_THAT(list_from({{"UID SEARCH", {"% BAD what\r\n"}}}),
              Fails(HasSubstr("refused UID: BAD what")));
  EXPECT_THAT(list_from({{"SELECT", {"% NO there is no such mailbox\r\n"}}}),
              Fails(HasSubstr("does not open INBOX: NO there is no such mailbox")));
  EXPECT_THAT(list_from({{"SELECT", {"* OK [UIDVALIDITY 3] x\r\n% OK [READ-ONLY] x\r\n"}}}),
              Fails(HasSubstr("cannot be changed")));
  EXPECT_THAT(list_from({{"SELECT", {"% OK\r\n"}}}), Fails(HasSubstr("no lasting numbers")));
}

TEST(ImapSource, AnEndlessLineEndsTheConnection) {
  EXPECT_THAT(list_from({{"UID SEARCH", {"* SEARCH" + std::string(5'000'000, ' ')}}}),
              Fails(HasSubstr("a line of more than")));
}

TEST(ImapSource, ASilentServerIsLeftAtTheTimeLimit) {
  ScriptedMailboxServer server(friendly_imap({{"UID SEARCH", {kSilence}}}));
  auto settings = server.settings("imap");
  settings.time_limit = std::chrono::seconds(2);
  ImapSource source(settings);
  EXPECT_THAT(source.list(kTen, kNeverStopped), Fails(HasSubstr("it took too long")));
}

TEST(ImapSource, AStopEndsADialogueWithASilentServer) {
  ScriptedMailboxServer server(friendly_imap({{"UID SEARCH", {kSilence}}}));
  ImapSource source(server.settings("imap"));
  std::stop_source stop;
  std::jthread stopper([&] {
    while (!server.heard("UID SEARCH")) std::this_thread::yield();
    stop.request_stop();
  });
  EXPECT_THAT(source.list(kTen, stop.get_token()), Fails(HasSubstr("a stop was requested")));
}

TEST(ImapSource, ConnectsAnewAfterTheServerHasLeft) {
  ScriptedMailboxServer server(friendly_imap(
      {{"UID SEARCH", {"* SEARCH 7\r\n% OK\r\n" + kHangUp, "* SEARCH 7\r\n% OK\r\n"}}}));
  ImapSource source(server.settings("imap"));
  EXPECT_FALSE(source.list(kTen, kNeverStopped));
  EXPECT_THAT(listed(source), SizeIs(1));
}

TEST(ImapSource, AMailThatCameDuringAnotherCommandEndsTheWait) {
  ScriptedMailboxServer server(
      friendly_imap({{"UID FETCH 7 (UID RFC822.SIZE)",
                      {"* 1 FETCH (UID 7 RFC822.SIZE 5)\r\n* 2 EXISTS\r\n% OK done\r\n"}}}));
  ImapSource source(server.settings("imap"));
  listed(source);
  EXPECT_THAT(source.wait(std::chrono::hours(1), kNeverStopped), IsOk());
  EXPECT_FALSE(server.heard("IDLE"));
}

TEST(ImapSource, ANewMailEndsIdle) {
  ScriptedMailboxServer server(friendly_imap(
      {{"IDLE", {"+ idling\r\n* OK still here\r\n* 2 EXISTS\r\n"}}, {"DONE", {"c9 OK done\r\n"}}}));
  ImapSource source(server.settings("imap"));
  listed(source);
  // The tag does not matter here: the wait was over before.
  (void)source.wait(std::chrono::hours(1), kNeverStopped);
  EXPECT_THAT(server.commands(), Contains("DONE"));
}

TEST(ImapSource, RealIdleWakesWithinASecondOfAMail) {
  auto* const dovecot = Dovecot::instance();
  ASSERT_NE(dovecot, nullptr) << Dovecot::kMissing;
  const auto user = "idle" + std::to_string(::getpid()) + "@test";
  dovecot->deliver(user, "Subject: 1\r\n\r\n");
  ImapSource source(dovecot->settings("imaps", user));
  EXPECT_THAT(listed(source), SizeIs(1));
  std::chrono::steady_clock::time_point delivered;
  std::jthread sender([&] {
    ::poll(nullptr, 0, 300);  // IDLE has begun by then; if not, the mail is seen all the same
    delivered = std::chrono::steady_clock::now();
    dovecot->deliver(user, "Subject: 2\r\n\r\n");
  });
  EXPECT_THAT(source.wait(std::chrono::seconds(60), kNeverStopped), IsOk());
  sender.join();
  const auto took = std::chrono::steady_clock::now() - delivered;
  RecordProperty("millis", std::to_string(took / std::chrono::milliseconds(1)));
  EXPECT_LT(took, std::chrono::seconds(1));
  EXPECT_THAT(listed(source), SizeIs(2));
}

TEST(ImapSource, ByIdleARequestIsInTheQueueWithinASecond) {
  auto* const dovecot = Dovecot::instance();
  ASSERT_NE(dovecot, nullptr) << Dovecot::kMissing;
  const auto user = "request" + std::to_string(::getpid()) + "@test";
  dovecot->deliver(user, "Subject: there is a mailbox\r\n\r\n");
  ChannelSettings channel;
  channel.name = "depots";
  channel.transport = MailSettings{};
  channel.mail()->from = "pki@ca.test";
  const FakeClock clock;
  FakeJobQueue queue(clock);
  MailIngress ingress(channel, std::make_unique<ImapSource>(dovecot->settings("imaps", user)),
                      queue, clock,
                      [](const DeliveryReport&, const Bytes&) { return Result<void>(); });
  ASSERT_THAT(ingress.poll({}), IsOk());
  std::chrono::steady_clock::time_point delivered;
  std::jthread sender([&] {
    ::poll(nullptr, 0, 300);  // IDLE has begun by then; if not, the mail is seen all the same
    delivered = std::chrono::steady_clock::now();
    dovecot->deliver(user,
                     "From: dev@site.test\r\nContent-Type: application/pkixcmp\r\n"
                     "Content-Transfer-Encoding: base64\r\n\r\nMAMCAQU=\r\n");
  });
  std::size_t taken = 0;
  while (taken == 0 && !HasFailure()) {
    ingress.wait(std::chrono::seconds(20), kNeverStopped);
    const auto intake = ingress.poll({});
    ASSERT_THAT(intake, IsOk());
    taken = intake->deposited;
  }
  const auto in_queue = std::chrono::steady_clock::now();
  sender.join();
  RecordProperty("millis", std::to_string((in_queue - delivered) / std::chrono::milliseconds(1)));
  EXPECT_LT(in_queue - delivered, std::chrono::seconds(1));
}

TEST(ImapSource, SurvivesThatTheServerIsStoppedAndStartedAgain) {
  auto* const dovecot = Dovecot::instance();
  ASSERT_NE(dovecot, nullptr) << Dovecot::kMissing;
  const auto user = "restart" + std::to_string(::getpid()) + "@test";
  dovecot->deliver(user, "Subject: 1\r\n\r\n");
  ImapSource source(dovecot->settings("imaps", user));
  const auto before = listed(source);
  ASSERT_THAT(before, SizeIs(1));
  dovecot->stop();
  const auto failed = source.fetch(before[0], kTen, kNeverStopped);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().recovery, Recovery::retry);
  dovecot->start();
  const auto after = listed(source);
  ASSERT_THAT(after, SizeIs(1));
  EXPECT_EQ(after[0].arrival, before[0].arrival);
  EXPECT_THAT(source.file_away(before, MailPlace::done, kNeverStopped), IsOk());
  EXPECT_THAT(listed(source), IsEmpty());
}

}  // namespace
}  // namespace cmpost
