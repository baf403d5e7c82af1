#include "mail/smtp_sender.h"

#include <gmock/gmock.h>

#include "tests/mail/scripted_smtp_server.h"
#include "tests/support/fake_clock.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;
using SmtpWhat = SmtpOutcome::What;

constexpr auto kSmtpMail = "Subject: an answer\r\n\r\nx\r\n";

MailSettings smtp_settings(int port) {
  MailSettings settings;
  settings.send = {"smtp", "127.0.0.1", port, "client.test"};
  settings.tls.required = false;
  settings.time_limit = std::chrono::seconds(20);
  return settings;
}

SmtpOutcome smtp_send(SmtpSender& sender, std::string_view raw = kSmtpMail) {
  return sender.send("pki+b.1@ca.test", {"dev", "site.test"}, "job1", view_of(raw));
}

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

struct SmtpRow {
  std::string name;
  SmtpScript script;
  SmtpWhat what;
  std::string words;
  bool disconnected = false;
};

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

TEST(SmtpSender, OneConnectionCarriesAHundredMails) {
  ScriptedSmtpServer server;
  SmtpSender sender(smtp_settings(server.port()));
  for (int i = 0; i < 100; ++i) ASSERT_EQ(smtp_send(sender).what, SmtpWhat::accepted);
  EXPECT_EQ(server.connections(), 1);
  ASSERT_EQ(smtp_send(sender).what, SmtpWhat::accepted);
  EXPECT_EQ(server.connections(), 2);
  EXPECT_THAT(server.mails(), SizeIs(101));
}

TEST(SmtpSender, AnIdleConnectionIsClosedAndMadeAnew) {
  ScriptedSmtpServer server;
  FakeClock clock;
  SmtpSender sender(smtp_settings(server.port()), clock);
  ASSERT_EQ(smtp_send(sender).what, SmtpWhat::accepted);
  clock.advance(std::chrono::seconds(30));
  ASSERT_EQ(smtp_send(sender).what, SmtpWhat::accepted);
  EXPECT_EQ(server.connections(), 1);
  clock.advance(std::chrono::seconds(31));
  ASSERT_EQ(smtp_send(sender).what, SmtpWhat::accepted);
  EXPECT_EQ(server.connections(), 2);
  EXPECT_THAT(server.commands(), Contains("QUIT"));
}

TEST(SmtpSender, AMailIsForgottenBeforeTheNext) {
  ScriptedSmtpServer server(SmtpScript{{"RCPT", {"550 no\r\n", "250 ok\r\n"}}});
  SmtpSender sender(smtp_settings(server.port()));
  EXPECT_EQ(smtp_send(sender).what, SmtpWhat::permanent);
  EXPECT_EQ(smtp_send(sender).what, SmtpWhat::accepted);
  const auto commands = server.commands();
  const auto refused = std::find_if(commands.begin(), commands.end(),
                                    [](const auto& line) { return line.starts_with("RCPT"); });
  ASSERT_LT(refused + 1, commands.end());
  EXPECT_EQ(*(refused + 1), "RSET");
}

TEST(SmtpSender, AConnectionThatEndedSinceIsMadeAnewUnnoticed) {
  ScriptedSmtpServer server(SmtpScript{{"RSET", {kHangUp, "421 4.4.2 timeout\r\n", "250 Ok\r\n"}}});
  SmtpSender sender(smtp_settings(server.port()));
  EXPECT_EQ(smtp_send(sender).what, SmtpWhat::accepted);
  EXPECT_EQ(smtp_send(sender).what, SmtpWhat::accepted);
  EXPECT_EQ(smtp_send(sender).what, SmtpWhat::accepted);
  EXPECT_EQ(server.connections(), 3);
  server.hang_up();
  EXPECT_EQ(smtp_send(sender).what, SmtpWhat::accepted);
  EXPECT_EQ(server.connections(), 4);
}

const std::string kPipelining = "250-here\r\n250 PIPELINING\r\n";

TEST(SmtpSender, CommandsGoTogetherWhereTheServerTakesThem) {
  ScriptedSmtpServer server(SmtpScript{{"EHLO", {kPipelining}}});
  SmtpSender sender(smtp_settings(server.port()));
  ASSERT_EQ(smtp_send(sender).what, SmtpWhat::accepted);
  ASSERT_EQ(smtp_send(sender).what, SmtpWhat::accepted);
  EXPECT_THAT(server.mails(), SizeIs(2));
  EXPECT_EQ(server.connections(), 1);
  EXPECT_THAT(server.commands(), Contains("RSET"));
}

TEST(SmtpSender, CommandsThatGoTogetherAreAllHeardOutWhenOneIsRefused) {
  ScriptedSmtpServer server(SmtpScript{
      {"EHLO", {kPipelining}},
      {"MAIL", {"250 ok\r\n", "451 later\r\n", "250 ok\r\n"}},
      {"RCPT", {"550 5.1.1 nobody\r\n", "503 MAIL first\r\n", "250 ok\r\n"}},
      {"DATA", {"554 no recipients\r\n", "503 MAIL first\r\n", "452 full\r\n", "354 go on\r\n"}}});
  SmtpSender sender(smtp_settings(server.port()));
  const auto nobody = smtp_send(sender);
  EXPECT_EQ(nobody.what, SmtpWhat::permanent);
  EXPECT_THAT(nobody.detail, HasSubstr("answered RCPT with: 550"));
  EXPECT_THAT(smtp_send(sender).detail, HasSubstr("answered MAIL with: 451"));
  EXPECT_THAT(smtp_send(sender).detail, HasSubstr("answered DATA with: 452"));
  EXPECT_EQ(smtp_send(sender).what, SmtpWhat::accepted);
  EXPECT_EQ(server.connections(), 1);
  EXPECT_THAT(server.mails(), SizeIs(1));
}

TEST(SmtpSender, AServerThatWantsDataForNobodyGetsNone) {
  ScriptedSmtpServer server(
      SmtpScript{{"EHLO", {kPipelining}}, {"RCPT", {"550 no\r\n", "250 ok\r\n"}}});
  SmtpSender sender(smtp_settings(server.port()));
  EXPECT_EQ(smtp_send(sender).what, SmtpWhat::permanent);
  EXPECT_EQ(smtp_send(sender).what, SmtpWhat::accepted);
  EXPECT_THAT(server.mails(), ElementsAre("", kSmtpMail));
  EXPECT_EQ(server.connections(), 1);
}

TEST(SmtpSender, AConnectionThatEndedIsMadeAnewUnnoticedWithPipeliningToo) {
  ScriptedSmtpServer server(SmtpScript{{"EHLO", {kPipelining}},
                                       {"RSET", {kHangUp, "421 4.4.2 timeout\r\n", "250 Ok\r\n"}}});
  SmtpSender sender(smtp_settings(server.port()));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(smtp_send(sender).what, SmtpWhat::accepted);
  EXPECT_EQ(server.connections(), 3);
  EXPECT_THAT(server.mails(), SizeIs(3));
}

TEST(SmtpSender, AFarewellAmongTheAnswersIsTheEnd) {
  ScriptedSmtpServer server(
      SmtpScript{{"EHLO", {kPipelining}}, {"RCPT", {"421 closing\r\n", "250 ok\r\n"}}});
  SmtpSender sender(smtp_settings(server.port()));
  const auto outcome = smtp_send(sender);
  EXPECT_EQ(outcome.what, SmtpWhat::temporary);
  EXPECT_TRUE(outcome.disconnected);
  EXPECT_EQ(smtp_send(sender).what, SmtpWhat::accepted);
  EXPECT_EQ(server.connections(), 2);
}

// An answer that nobody asked for would be taken for that to the next command.
TEST(SmtpSender, AServerOutOfStepIsLeft) {
  ScriptedSmtpServer server(SmtpScript{{"mail", {"250 Ok\r\n250 Ok\r\n", "250 Ok\r\n"}}});
  SmtpSender sender(smtp_settings(server.port()));
  EXPECT_EQ(smtp_send(sender).what, SmtpWhat::accepted);
  EXPECT_EQ(smtp_send(sender).what, SmtpWhat::accepted);
  EXPECT_EQ(server.connections(), 2);
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

class SmtpWithTls : public ::testing::TestWithParam<SmtpRow> {};

TEST_P(SmtpWithTls, NoMailGoesWithoutIt) {
  ScriptedSmtpServer server(GetParam().script);
  auto settings = smtp_settings(server.port());
  settings.send.scheme = GetParam().name == "NoTlsAtAll" ? "smtps" : "smtp";
  settings.tls.required = true;
  settings.time_limit = std::chrono::seconds(2);
  SmtpSender sender(settings);
  const auto outcome = smtp_send(sender);
  EXPECT_EQ(outcome.what, SmtpWhat::channel);
  EXPECT_THAT(outcome.detail, HasSubstr(GetParam().words));
  EXPECT_THAT(server.commands(), Not(Contains(StartsWith("MAIL"))));
  EXPECT_THAT(server.commands(), Not(Contains(StartsWith("AUTH"))));
}

const SmtpScript kOffersStartTls = {{"EHLO", {"250-mx.test\r\n250 STARTTLS\r\n"}}};
SmtpScript start_tls_answered(const std::string& answer) {
  auto script = kOffersStartTls;
  script["STARTTLS"] = {answer};
  return script;
}

INSTANTIATE_TEST_SUITE_P(
    Table, SmtpWithTls,
    ::testing::Values(
        SmtpRow{"NotOffered", {}, SmtpWhat::channel, "STARTTLS"},
        SmtpRow{"Refused", start_tls_answered("454 4.7.0 no\r\n"), SmtpWhat::channel, "454 4.7.0"},
        SmtpRow{"NoHandshake", start_tls_answered("220 go\r\n"), SmtpWhat::channel, "too long"},
        // Octets that came before the handshake must not be taken for what came after it.
        SmtpRow{"Injected", start_tls_answered("220 go\r\n250 Ok\r\n250 Ok\r\n"), SmtpWhat::channel,
                ""},
        SmtpRow{"HangsUp", start_tls_answered(kHangUp), SmtpWhat::channel, ""},
        SmtpRow{"NoTlsAtAll", {}, SmtpWhat::channel, "TLS"}),
    [](const auto& row) { return row.param.name; });

class SmtpLogin : public ::testing::Test {
 protected:
  MailSettings settings(int port) const {
    auto settings = smtp_settings(port);
    settings.send_login.user = "pki";
    settings.send_login.password_file = directory_ / "password";
    EXPECT_THAT(write_file(settings.send_login.password_file, view_of("open sesame\n"), 0600,
                           IfExists::replace),
                IsOk());
    return settings;
  }
  TemporaryDirectory directory_;
};

TEST_F(SmtpLogin, ComesBeforeTheMail) {
  const auto secret = to_base64(view_of(std::string_view("\0pki\0open sesame", 16)));
  ScriptedSmtpServer server(SmtpScript{{"EHLO", {"250-mx.test\r\n250 AUTH PLAIN\r\n"}},
                                       {"AUTH", {"334 \r\n"}},
                                       {secret, {"235 2.7.0 welcome\r\n"}}});
  SmtpSender sender(settings(server.port()));
  EXPECT_EQ(smtp_send(sender).what, SmtpWhat::accepted);
  EXPECT_THAT(server.commands(), Contains(secret));
}

TEST_F(SmtpLogin, RefusedIsTroubleOfTheChannel) {
  ScriptedSmtpServer server(
      {{"EHLO", {"250-mx.test\r\n250 AUTH PLAIN\r\n"}}, {"AUTH", {"535 5.7.8 not you\r\n"}}});
  SmtpSender sender(settings(server.port()));
  const auto outcome = smtp_send(sender);
  EXPECT_EQ(outcome.what, SmtpWhat::channel);
  EXPECT_THAT(outcome.detail, HasSubstr("refused the login"));
  EXPECT_THAT(outcome.detail, HasSubstr("535 5.7.8 not you"));
  EXPECT_THAT(outcome.detail, Not(HasSubstr("sesame")));
  EXPECT_THAT(server.commands(), Not(Contains(StartsWith("MAIL"))));
}

TEST_F(SmtpLogin, NotOfferedIsTroubleOfTheChannel) {
  ScriptedSmtpServer server;
  SmtpSender sender(settings(server.port()));
  EXPECT_EQ(smtp_send(sender).what, SmtpWhat::channel);
  EXPECT_THAT(server.mails(), IsEmpty());
}

}  // namespace
}  // namespace cmpost
