#include "mail/wire/smtp_sender.h"

#include <gmock/gmock.h>

#include "tests/mail/smtp_client.h"
#include "tests/support/fake_clock.h"

namespace cmpost {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

TEST(SmtpSender, SendsAMail) {
  ScriptedSmtpServer server;
  SmtpSender sender(smtp_settings(server.port()));
  const auto outcome = smtp_send(sender, "A: b\r\n\r\n.\r\n.x\r\n");
  EXPECT_EQ(outcome.what, SmtpWhat::accepted);
  EXPECT_EQ(outcome.detail, "250 2.0.0 Ok: queued as 4711");
  EXPECT_THAT(server.mails(), ElementsAre("A: b\r\n\r\n..\r\n..x\r\n"));
  EXPECT_THAT(server.commands(), Contains("EHLO client.test"));
  EXPECT_THAT(server.commands(),
              Contains("MAIL FROM:<pki+b.1@ca.test> SIZE=15 RET=HDRS ENVID=job1"));
  EXPECT_THAT(server.commands(), Contains("RCPT TO:<dev@site.test> NOTIFY=FAILURE,DELAY"));
}

TEST(SmtpSender, TheNullReturnPathIsSentAsSuch) {
  ScriptedSmtpServer server(SmtpScript{{"EHLO", {"250 mx.test\r\n"}}});
  SmtpSender sender(smtp_settings(server.port()));
  EXPECT_EQ(sender.send("", {"dev", "site.test"}, "job1", view_of(kSmtpMail)).what,
            SmtpWhat::accepted);
  EXPECT_THAT(server.commands(), Contains("MAIL FROM:<>"));
}

TEST(SmtpSender, ConnectSaysNoop) {
  ScriptedSmtpServer server;
  SmtpSender sender(smtp_settings(server.port()));
  EXPECT_THAT(sender.connect(), IsOk());
  EXPECT_THAT(server.commands(), Contains("NOOP"));
  EXPECT_EQ(smtp_send(sender).what, SmtpWhat::accepted);
  EXPECT_EQ(server.connections(), 1);
}

TEST(SmtpSender, ConnectTellsWhenTheServerIsUnwilling) {
  ScriptedSmtpServer server(SmtpScript{{"NOOP", {"421 4.3.2 going down\r\n"}}});
  SmtpSender sender(smtp_settings(server.port()));
  EXPECT_THAT(sender.connect(), Fails(HasSubstr("421 4.3.2 going down")));
}

TEST(SmtpSender, AsksWhetherMailGoesAndSendsNone) {
  ScriptedSmtpServer server(SmtpScript{
      {"RCPT", {"250 2.1.5 ok\r\n", "450 4.2.0 later\r\n", "504 5.5.2 a full name, please\r\n"}}});
  auto settings = smtp_settings(server.port());
  settings.from = "pki@ca.test";
  SmtpSender sender(settings);
  EXPECT_THAT(sender.ask_whether_mail_goes(), IsOk());
  EXPECT_THAT(sender.ask_whether_mail_goes(), IsOk()) << "greylisting";
  EXPECT_THAT(sender.ask_whether_mail_goes(), Fails(HasSubstr("504 5.5.2")));
  EXPECT_THAT(server.commands(), Not(Contains("DATA")));
}

TEST(SmtpSender, BothGreetingsNameTheHostInFull) {
  ScriptedSmtpServer server;
  auto settings = smtp_settings(server.port());
  settings.hello = "ca.example.com";
  SmtpSender sender(settings);
  EXPECT_EQ(smtp_send(sender).what, SmtpWhat::accepted);
  std::size_t greetings = 0;
  for (const auto& command : server.commands()) {
    if (!command.starts_with("EHLO")) continue;
    ++greetings;
    EXPECT_EQ(command, "EHLO ca.example.com");
  }
  EXPECT_EQ(greetings, 2U);
}

TEST(GreetingName, HasADotIfAnythingHas) {
  MailSettings settings;
  settings.domain = "example.com";
  EXPECT_EQ(greeting_name(settings, "depot"), "example.com");
  EXPECT_EQ(greeting_name(settings, "depot.site.example"), "depot.site.example");
  EXPECT_EQ(greeting_name(settings, ""), "example.com");
  settings.domain = "localhost";
  EXPECT_EQ(greeting_name(settings, "depot"), "depot");
  EXPECT_EQ(greeting_name(settings, "de pot"), "localhost");
  settings.send.path = "named.in.url";
  EXPECT_EQ(greeting_name(settings, "depot"), "named.in.url");
  settings.hello = "[192.0.2.1]";
  EXPECT_EQ(greeting_name(settings, "depot"), "[192.0.2.1]");
}

class SmtpResult : public ::testing::TestWithParam<SmtpRow> {};

TEST_P(SmtpResult, IsTold) {
  ScriptedSmtpServer server(GetParam().script);
  SmtpSender sender(smtp_settings(server.port()));
  const auto outcome = smtp_send(sender);
  EXPECT_EQ(outcome.what, GetParam().what);
  EXPECT_THAT(outcome.detail, HasSubstr(GetParam().words));
  EXPECT_EQ(outcome.disconnected, GetParam().disconnected);
  // Whatever happened to the mail before, the next one has its chance.
  for (const auto* step : {"MAIL", "RCPT", "DATA", "body", "mail"}) server.forget(step);
  EXPECT_EQ(smtp_send(sender).what, SmtpWhat::accepted);
  EXPECT_EQ(server.connections(), outcome.disconnected ? 2 : 1);
}

INSTANTIATE_TEST_SUITE_P(
    Table, SmtpResult,
    ::testing::Values(
        SmtpRow{"TemporaryAtMail",
                {{"MAIL", {"450 4.7.1 later\r\n"}}},
                SmtpWhat::temporary,
                "450 4.7.1"},
        SmtpRow{"TemporaryAtRcpt",
                {{"RCPT", {"451 4.3.0 grey\r\n"}}},
                SmtpWhat::temporary,
                "RCPT with: 451"},
        SmtpRow{"TemporaryAtData",
                {{"DATA", {"452 4.3.1 full\r\n"}}},
                SmtpWhat::temporary,
                "DATA with: 452"},
        SmtpRow{"TemporaryAfterTheDot",
                {{"mail", {"451 4.3.0 no\r\n"}}},
                SmtpWhat::temporary,
                "the data"},
        SmtpRow{"PermanentAtMail",
                {{"MAIL", {"552 5.3.4 big\r\n"}}},
                SmtpWhat::permanent,
                "552 5.3.4 big"},
        SmtpRow{"PermanentAtRcpt",
                {{"RCPT", {"550-5.1.1 no\r\n550 5.1.1 such\r\n"}}},
                SmtpWhat::permanent,
                "550 5.1.1 no / 5.1.1 such"},
        SmtpRow{"PermanentAtData",
                {{"DATA", {"554 no\r\n"}}},
                SmtpWhat::permanent,
                "DATA with: 554 no"},
        SmtpRow{"PermanentAfterTheDot",
                {{"mail", {"554 5.7.1 spam\r\n"}}},
                SmtpWhat::permanent,
                "554 5.7.1"},
        SmtpRow{
            "FarewellAtMail", {{"MAIL", {"421 4.3.2 bye\r\n"}}}, SmtpWhat::temporary, "421", true},
        SmtpRow{"FarewellAfterTheDot",
                {{"mail", {"421 4.3.2 bye\r\n"}}},
                SmtpWhat::temporary,
                "421",
                true},
        SmtpRow{"LostAtMail",
                {{"MAIL", {kHangUp}}},
                SmtpWhat::temporary,
                "before the mail was sent",
                true},
        SmtpRow{"LostAtRcpt",
                {{"RCPT", {kHangUp}}},
                SmtpWhat::temporary,
                "before the mail was sent",
                true},
        SmtpRow{"LostAtData",
                {{"DATA", {kHangUp}}},
                SmtpWhat::temporary,
                "before the mail was sent",
                true},
        SmtpRow{"LostAfter354", {{"body", {kHangUp}}}, SmtpWhat::unknown, "may or may not", true},
        SmtpRow{
            "LostAfterTheDot", {{"mail", {kHangUp}}}, SmtpWhat::unknown, "may or may not", true},
        SmtpRow{"LostInTheLastReply",
                {{"mail", {"250-2.0.0 Ok\r\n" + kHangUp}}},
                SmtpWhat::unknown,
                "",
                true},
        SmtpRow{
            "NonsenseAtMail", {{"MAIL", {"* OK IMAP\r\n"}}}, SmtpWhat::temporary, "not SMTP", true},
        SmtpRow{
            "NonsenseAfterTheDot", {{"mail", {"yes\r\n"}}}, SmtpWhat::unknown, "not SMTP", true},
        SmtpRow{
            "GoOnAfterTheDot", {{"mail", {"354 more\r\n"}}}, SmtpWhat::unknown, "354 more", true},
        SmtpRow{
            "GoOnAtRcpt", {{"RCPT", {"354 go\r\n"}}}, SmtpWhat::temporary, "RCPT with: 354", true},
        SmtpRow{
            "DoneAtData", {{"DATA", {"250 Ok\r\n"}}}, SmtpWhat::temporary, "DATA with: 250", true},
        SmtpRow{"LoginWantedAtMail",
                {{"MAIL", {"530 5.7.0 login first\r\n"}}},
                SmtpWhat::channel,
                "530",
                true},
        SmtpRow{"EndlessReply",
                {{"RCPT", {std::string(100'000, 'x')}}},
                SmtpWhat::temporary,
                "",
                true}),
    [](const auto& row) { return row.param.name; });

TEST(SmtpSender, ASilentServerCostsOneTimeLimit) {
  for (const auto& [step, what] : {std::pair{"RCPT", SmtpWhat::temporary},
                                   {"mail", SmtpWhat::unknown},
                                   {"body", SmtpWhat::unknown},
                                   {"greeting", SmtpWhat::channel}}) {
    ScriptedSmtpServer server(SmtpScript{{step, {kSilence}}});
    auto settings = smtp_settings(server.port());
    settings.time_limit = std::chrono::milliseconds(400);
    SmtpSender sender(settings);
    const auto start = std::chrono::steady_clock::now();
    const auto outcome = smtp_send(sender);
    EXPECT_EQ(outcome.what, what) << step << ": " << outcome.detail;
    EXPECT_THAT(outcome.detail, HasSubstr("too long")) << step;
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(4)) << step;
  }
}

// What a mail might do to the dialogue must be found before anything of it is on the wire.
TEST(SmtpSender, SmugglingEndsBeforeTheServer) {
  ScriptedSmtpServer server;
  SmtpSender sender(smtp_settings(server.port()));
  for (const auto* raw :
       {"A: b\r\n\r\nx\n.\nMAIL FROM:<evil@x>\r\n", "A: b\r\n\r\nx\r.\rMAIL FROM:<evil@x>\r\n",
        "A: b\r\n\r\nx\n.\r\nMAIL FROM:<evil@x>\r\n", "A: b\r\n\r\nx\r\n.\nMAIL\r\n", "A: \xe4\r\n",
        "no end"}) {
    const auto outcome = smtp_send(sender, raw);
    EXPECT_EQ(outcome.what, SmtpWhat::permanent) << raw;
    EXPECT_FALSE(outcome.disconnected);
  }
  EXPECT_EQ(smtp_send(sender, std::string(999, 'x') + "\r\n").what, SmtpWhat::permanent);
  const Mailbox evil = {"dev@site.test>\r\nRCPT TO:<evil", "x"};
  EXPECT_EQ(sender.send("a@b", evil, "1", view_of(kSmtpMail)).what, SmtpWhat::permanent);
  EXPECT_EQ(sender.send("a@b>\r\nDATA", {"d", "s"}, "1", view_of(kSmtpMail)).what,
            SmtpWhat::permanent);
  EXPECT_EQ(server.connections(), 0);
  EXPECT_EQ(sender.send("a@b", {"d", "s"}, "1\r\nDATA", view_of(kSmtpMail)).what,
            SmtpWhat::accepted);
  EXPECT_THAT(server.commands(), Contains(HasSubstr("ENVID=1+0D+0ADATA")));
}

TEST(SmtpSender, DotLinesOfAMailDoNotEndIt) {
  ScriptedSmtpServer server;
  SmtpSender sender(smtp_settings(server.port()));
  EXPECT_EQ(smtp_send(sender, "A: b\r\n\r\n.\r\nMAIL FROM:<evil@x>\r\n").what, SmtpWhat::accepted);
  EXPECT_THAT(server.mails(), ElementsAre("A: b\r\n\r\n..\r\nMAIL FROM:<evil@x>\r\n"));
  EXPECT_THAT(server.commands(), Not(Contains(HasSubstr("evil"))));
}

TEST(SmtpSender, NobodyThereIsTroubleOfTheChannel) {
  int port = 0;
  { port = listen_on_loopback().second; }
  SmtpSender sender(smtp_settings(port));
  EXPECT_THAT(sender.connect(), Fails(HasSubstr("cannot be reached")));
  const auto outcome = smtp_send(sender);
  EXPECT_EQ(outcome.what, SmtpWhat::channel);
  EXPECT_TRUE(outcome.disconnected);
}

TEST(SmtpSender, AGreetingThatRefusesIsTroubleOfTheChannel) {
  ScriptedSmtpServer server(SmtpScript{{"greeting", {"554 5.3.2 not today\r\n"}}});
  SmtpSender sender(smtp_settings(server.port()));
  const auto outcome = smtp_send(sender);
  EXPECT_EQ(outcome.what, SmtpWhat::channel);
  EXPECT_THAT(outcome.detail, HasSubstr("554"));
}

}  // namespace
}  // namespace cmpost
