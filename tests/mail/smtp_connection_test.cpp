// One connection for many mails, and commands that go together.
#include <gmock/gmock.h>

#include "tests/mail/smtp_client.h"
#include "tests/support/fake_clock.h"

namespace cmpost {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

const std::string kPipelining = "250-here\r\n250 PIPELINING\r\n";

TEST(SmtpConnection, OneConnectionCarriesAHundredMails) {
  ScriptedSmtpServer server;
  SmtpSender sender(smtp_settings(server.port()));
  for (int i = 0; i < 100; ++i) ASSERT_EQ(smtp_send(sender).what, SmtpWhat::accepted);
  EXPECT_EQ(server.connections(), 1);
  ASSERT_EQ(smtp_send(sender).what, SmtpWhat::accepted);
  EXPECT_EQ(server.connections(), 2);
  EXPECT_THAT(server.mails(), SizeIs(101));
}

TEST(SmtpConnection, AnIdleConnectionIsClosedAndMadeAnew) {
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

TEST(SmtpConnection, AMailIsForgottenBeforeTheNext) {
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

TEST(SmtpConnection, AConnectionThatEndedSinceIsMadeAnewUnnoticed) {
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

TEST(SmtpConnection, CommandsGoTogetherWhereTheServerTakesThem) {
  ScriptedSmtpServer server(SmtpScript{{"EHLO", {kPipelining}}});
  SmtpSender sender(smtp_settings(server.port()));
  ASSERT_EQ(smtp_send(sender).what, SmtpWhat::accepted);
  ASSERT_EQ(smtp_send(sender).what, SmtpWhat::accepted);
  EXPECT_THAT(server.mails(), SizeIs(2));
  EXPECT_EQ(server.connections(), 1);
  EXPECT_THAT(server.commands(), Contains("RSET"));
}

TEST(SmtpConnection, CommandsThatGoTogetherAreAllHeardOutWhenOneIsRefused) {
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

TEST(SmtpConnection, AServerThatWantsDataForNobodyGetsNone) {
  ScriptedSmtpServer server(
      SmtpScript{{"EHLO", {kPipelining}}, {"RCPT", {"550 no\r\n", "250 ok\r\n"}}});
  SmtpSender sender(smtp_settings(server.port()));
  EXPECT_EQ(smtp_send(sender).what, SmtpWhat::permanent);
  EXPECT_EQ(smtp_send(sender).what, SmtpWhat::accepted);
  EXPECT_THAT(server.mails(), ElementsAre("", kSmtpMail));
  EXPECT_EQ(server.connections(), 1);
}

TEST(SmtpConnection, AConnectionThatEndedIsMadeAnewUnnoticedWithPipeliningToo) {
  ScriptedSmtpServer server(SmtpScript{{"EHLO", {kPipelining}},
                                       {"RSET", {kHangUp, "421 4.4.2 timeout\r\n", "250 Ok\r\n"}}});
  SmtpSender sender(smtp_settings(server.port()));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(smtp_send(sender).what, SmtpWhat::accepted);
  EXPECT_EQ(server.connections(), 3);
  EXPECT_THAT(server.mails(), SizeIs(3));
}

TEST(SmtpConnection, AFarewellAmongTheAnswersIsTheEnd) {
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
TEST(SmtpConnection, AServerOutOfStepIsLeft) {
  ScriptedSmtpServer server(SmtpScript{{"mail", {"250 Ok\r\n250 Ok\r\n", "250 Ok\r\n"}}});
  SmtpSender sender(smtp_settings(server.port()));
  EXPECT_EQ(smtp_send(sender).what, SmtpWhat::accepted);
  EXPECT_EQ(smtp_send(sender).what, SmtpWhat::accepted);
  EXPECT_EQ(server.connections(), 2);
}

}  // namespace
}  // namespace cmpost
