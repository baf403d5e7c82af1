// What stands between a mail and a server: TLS and a login.
#include <gmock/gmock.h>

#include "base/files.h"
#include "tests/mail/smtp_client.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

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
