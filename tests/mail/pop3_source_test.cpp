#include "mail/pop3_source.h"

#include "mail/wire/header_digest.h"
#include "tests/mail/scripted_mailbox_server.h"
#include "tests/mail/text_stream.h"
#include "tests/support/fake_clock.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/unreadable.h"

namespace cmpost {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::stop_token kEndless;

MailboxScript friendly_pop3(const MailboxScript& changes = {}) {
  MailboxScript script = {
      {"", {"+OK\r\n"}},
      {"greeting", {"+OK hello\r\n"}},
      {"CAPA", {"+OK\r\nSASL XOAUTH2\r\nTOP\r\nUIDL\r\n.\r\n"}},
      {"AUTH", {"+ \r\n"}},
      {"LIST", {"+OK\r\n1 9\r\n2 11\r\n.\r\n"}},
      {"UIDL", {"+OK\r\n1 a\r\n2 b\r\n.\r\n"}},
      {"TOP 1", {"+OK\r\nMessage-ID: <1@x>\r\nReceived: today\r\n\r\n.\r\n"}},
      {"TOP 2", {"+OK\r\nMessage-ID: <2@x>\r\nReceived: today\r\n\r\n.\r\n"}},
      {"RETR 1", {"+OK\r\na\r\n\r\n..b\r\n.\r\n"}},
      {"QUIT", {"+OK bye\r\n" + kHangUp}},
  };
  for (const auto& [key, answers] : changes) script[key] = answers;
  return script;
}

struct Pop3Guest {
  explicit Pop3Guest(const MailboxScript& changes = {}, Duration keep = Duration::zero(),
                     TakenMails taken = {})
      : server(friendly_pop3(changes)), source(settings(keep), clock, std::move(taken)) {}
  MailSettings settings(Duration keep) const {
    auto result = server.settings("pop3");
    result.login.mechanism = LoginSettings::Mechanism::xoauth2;
    result.keep = keep;
    return result;
  }
  std::vector<MailHandle> list() {
    auto mails = source.list(10, kEndless);
    EXPECT_THAT(mails, IsOk());
    return mails.value_or(std::vector<MailHandle>());
  }
  Result<void> done(const std::vector<MailHandle>& mails) {
    return source.file_away(mails, MailPlace::done, kEndless);
  }

  ScriptedMailboxServer server;
  FakeClock clock;
  Pop3Source source;
};

TEST(Pop3Source, NamesAnArrivalByUidlSizeAndHeader) {
  Pop3Guest guest;
  const auto mails = guest.list();
  ASSERT_THAT(mails, SizeIs(2));
  EXPECT_THAT(mails[0].arrival, HasSubstr("pop3:ra@127.0.0.1;UIDL=a;SIZE=9;HEADER="));
  EXPECT_EQ(guest.source.fetch(mails[0], 100, kEndless).value(), to_bytes("a\r\n\r\n.b\r\n"));
}

TEST(Pop3Source, AUidlThatIsUsedAgainIsAnotherArrival) {
  Pop3Guest guest(
      {{"TOP 1",
        {"+OK\r\nMessage-ID: <1@x>\r\n\r\n.\r\n", "+OK\r\nMessage-ID: <another@x>\r\n\r\n.\r\n"}}});
  const auto before = guest.list();
  ASSERT_THAT(before, SizeIs(2));
  ASSERT_THAT(guest.done({before[0]}), IsOk());
  const auto after = guest.list();
  ASSERT_THAT(after, SizeIs(2));
  EXPECT_NE(after[0].arrival, before[0].arrival);
  EXPECT_EQ(after[1].arrival, before[1].arrival);
}

TEST(Pop3Source, AsksForTheMailWhereTheHeaderAloneIsNotToBeHad) {
  Pop3Guest guest(
      {{"TOP", {"-ERR no\r\n"}},
       {"TOP 1", {"-ERR no\r\n"}},
       {"RETR 1", {"+OK\r\nMessage-ID: <1@x>\r\nReceived: today\r\n\r\nbody\r\n.\r\n"}}});
  Pop3Guest other;
  EXPECT_EQ(guest.list().at(0).arrival, other.list().at(0).arrival);
}

TEST(Pop3Source, TheReplyToQuitIsTheAcknowledgement) {
  Pop3Guest guest(
      MailboxScript{{"QUIT", {"-ERR some deleted messages not removed\r\n", "+OK\r\n"}}});
  const auto mails = guest.list();
  ASSERT_THAT(mails, SizeIs(2));
  EXPECT_THAT(guest.done({mails[1]}), Fails(HasSubstr("did not delete")));
  EXPECT_THAT(guest.done({mails[1]}), IsOk());
  EXPECT_THAT(guest.server.commands(), Contains("DELE 2").Times(2));
  EXPECT_FALSE(guest.server.heard("DELE 1"));
}

TEST(Pop3Source, AServerThatLeavesBeforeItsReplyHasDeletedNothing) {
  Pop3Guest guest(MailboxScript{{"QUIT", {kHangUp}}});
  const auto mails = guest.list();
  EXPECT_THAT(guest.done(mails), Fails(HasSubstr("closed the connection")));
}

TEST(Pop3Source, KeepsMailsOnTheServerAsLongAsItIsTold) {
  Pop3Guest guest({}, std::chrono::hours(24));
  ASSERT_THAT(guest.done(guest.list()), IsOk());
  EXPECT_THAT(guest.list(), IsEmpty());
  EXPECT_FALSE(guest.server.heard("DELE"));
  guest.clock.advance(std::chrono::hours(25));
  guest.list();
  EXPECT_THAT(guest.server.commands(), Contains("DELE 1"));
  EXPECT_THAT(guest.server.commands(), Contains("DELE 2"));
}

TEST(Pop3Source, RemembersAcrossRestartsSinceWhenMailsAreKept) {
  const TemporaryDirectory directory;
  const auto file = directory / "state/depots.taken";
  const MailboxScript other_header = {
      {"TOP 1", {"+OK\r\nMessage-ID: <new@x>\r\nReceived: today\r\n\r\n.\r\n"}}};
  Pop3Guest first({}, std::chrono::hours(24), TakenMails::open(file).value());
  ASSERT_THAT(first.done(first.list()), IsOk());
  {
    Pop3Guest second({}, std::chrono::hours(24), TakenMails::open(file).value());
    second.clock.advance(std::chrono::hours(23));
    EXPECT_THAT(second.list(), IsEmpty());
    EXPECT_FALSE(second.server.heard("DELE"));
  }
  {
    // While nobody looked the server has given the name of a mail to another one.
    Pop3Guest third(other_header, std::chrono::hours(24), TakenMails::open(file).value());
    EXPECT_THAT(third.list(), SizeIs(1));
  }
  Pop3Guest fourth({}, std::chrono::hours(24), TakenMails::open(file).value());
  fourth.clock.advance(std::chrono::hours(25));
  fourth.list();
  EXPECT_THAT(fourth.server.commands(), Contains("DELE 1"));
  EXPECT_THAT(fourth.server.commands(), Contains("DELE 2"));
}

TEST(TakenMails, ForgetsLinesThatWereCutOffAndNothingElse) {
  const TemporaryDirectory directory;
  const auto file = directory / "taken";
  const Time now = FakeClock().now();
  {
    auto mails = TakenMails::open(file).value();
    ASSERT_THAT(mails.add({"a", "b", "a"}, now), IsOk());
    ASSERT_THAT(mails.add({"c"}, now + std::chrono::hours(1)), IsOk());
    ASSERT_THAT(mails.add({"a"}, now + std::chrono::hours(2)), IsOk());
  }
  auto octets = read_file(file, 10'000).value();
  octets.resize(octets.size() - 3);
  ASSERT_THAT(write_file(file, octets, 0600, IfExists::replace), IsOk());
  auto mails = TakenMails::open(file).value();
  EXPECT_EQ(mails.taken("a"), now);
  EXPECT_EQ(mails.taken("b"), now);
  EXPECT_EQ(mails.taken("c"), std::nullopt);
  ASSERT_THAT(mails.add({"c"}, now), IsOk());
  EXPECT_EQ(TakenMails::open(file).value().taken("c"), now);
}

TEST(TakenMails, WhatNobodyCanLookAtIsNotForgotten) {
  const TemporaryDirectory directory;
  const auto file = directory / "state/taken";
  ASSERT_THAT(TakenMails::open(file).value().add({"a"}, FakeClock().now()), IsOk());
  const Unreadable gone(directory / "state");
  EXPECT_THAT(TakenMails::open(file), Fails(::testing::HasSubstr("examining")));
}

TEST(TakenMails, TheFileIsWrittenAnewWhenMostOfItIsGone) {
  const TemporaryDirectory directory;
  const auto file = directory / "taken";
  auto mails = TakenMails::open(file).value();
  std::vector<std::string> arrivals;
  for (int i = 0; i < 2000; ++i) arrivals.push_back(std::to_string(i));
  ASSERT_THAT(mails.add(arrivals, FakeClock().now()), IsOk());
  ASSERT_THAT(mails.keep_only({"7", "none"}), IsOk());
  EXPECT_LT(read_file(file, 1 << 20).value().size(), 100U);
  const auto again = TakenMails::open(file).value();
  EXPECT_EQ(again.size(), 1U);
  EXPECT_TRUE(again.taken("7"));
}

TEST(Pop3Source, AMailThatIsLargerThanItsSizeIsCutAndTheNextStillComes) {
  Pop3Guest guest(MailboxScript{{"RETR 2", {"+OK\r\nx\r\n.\r\n"}}});
  const auto mails = guest.list();
  ASSERT_THAT(mails, SizeIs(2));
  EXPECT_THAT(guest.source.fetch(mails[0], 3, kEndless).value().value(), SizeIs(4));
  EXPECT_EQ(guest.source.fetch(mails[1], 100, kEndless).value(), to_bytes("x\r\n"));
}

TEST(Pop3Source, HoldsNoLockOnTheMaildropWhileItWaits) {
  Pop3Guest guest;
  guest.list();
  EXPECT_THAT(guest.source.wait(std::chrono::milliseconds(1), kEndless), IsOk());
  EXPECT_EQ(guest.server.commands().back(), "QUIT");
}

TEST(Pop3Source, TellsWhatIsWrongWithAServer) {
  const auto listed = [](const MailboxScript& changes) {
    Pop3Guest guest(changes);
    return guest.source.list(10, kEndless);
  };
  EXPECT_THAT(listed({{"UIDL", {"-ERR what\r\n"}}}), Fails(HasSubstr("no lasting names")));
  EXPECT_THAT(listed({{"LIST", {"hello\r\n"}}}), Fails(HasSubstr("what is no reply")));
  EXPECT_THAT(listed({{"LIST", {"+OK\r\n1\r\n.\r\n"}}}), Fails(HasSubstr("what is no list")));
  EXPECT_THAT(listed({{"UIDL", {"+OK\r\n1 a\x01\r\n.\r\n"}}}), Fails(HasSubstr("what is no list")));
  EXPECT_THAT(listed({{"UIDL", {"+OK\r\n1 " + std::string(2000, 'a') + "\r\n.\r\n"}}}),
              Fails(HasSubstr("a line of more than")));
}

TEST(HeaderDigest, DependsOnTheMessageIdAndTheTopmostReceivedFieldOnly) {
  const auto digest = [](const std::vector<std::string>& lines) {
    HeaderDigest result;
    for (const auto& line : lines) result.add(line);
    return result.text();
  };
  const auto model = digest({"Received: a", " b", "Received: c", "Message-ID: <1>", "", "x"});
  EXPECT_EQ(model, digest({"Received: a", " b", "Status: RO", "Message-ID: <1>", "", "y"}));
  EXPECT_NE(model, digest({"Received: a", " other", "Message-ID: <1>"}));
  EXPECT_NE(model, digest({"Received: a", " b", "Message-ID: <2>"}));
  EXPECT_NE(digest({"Subject: a"}), digest({"Subject: b"}));
}

TEST(Pop3Dialogue, TakesTheDotsOffThatWerePutOn) {
  TextStream stream("+OK\r\n..\r\n.a\r\n\r\n.\r\n+OK\r\n");
  Pop3Dialogue dialogue(stream);
  EXPECT_EQ(dialogue.content("RETR 1", 100).value()->octets, to_bytes(".\r\na\r\n\r\n"));
  EXPECT_EQ(stream.rest(), "+OK\r\n");
}

}  // namespace
}  // namespace cmpost
