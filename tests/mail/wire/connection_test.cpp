#include "mail/wire/connection.h"

#include "mail/wire/smtp_sender.h"
#include "tests/mail/dovecot.h"
#include "tests/mail/scripted_mailbox_server.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

using Opened = Result<std::unique_ptr<MailConnection>>;

Opened open_with(const MailSettings& settings, const std::stop_token& stop = {}) {
  return MailConnection::open(settings.fetch, settings.login, settings.tls, settings.time_limit,
                              stop);
}

Recovery recovery_of(const Opened& opened) {
  return opened ? Recovery::retry : opened.error().recovery;
}

// A connection to a real server, whatever the protocol.
class RealConnection : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    server_ = Dovecot::instance();
    ASSERT_NE(server_, nullptr) << Dovecot::kMissing;
    settings_ = server_->settings(GetParam(), "connection@test");
  }
  std::string file(const std::string& name, const std::string& content) {
    return Dovecot::write(server_->directory() + "/" + name, content);
  }
  std::string pin_of(const std::string& certificate) {
    auto digest = server_->shell("openssl x509 -noout -pubkey -in " + certificate +
                                 " | openssl pkey -pubin -outform der"
                                 " | openssl dgst -sha256 -binary | base64");
    digest.erase(digest.find_last_not_of('\n') + 1);
    return "sha256//" + digest;
  }
  std::string token(const std::string& key) {
    return server_->shell(
        "b() { base64 -w0 | tr +/ -_ | tr -d =; }; h=$(printf '{\"alg\":\"HS256\",\"typ\":"
        "\"JWT\"}' | b); n=$(date +%s); c=$(printf '{\"sub\":\"connection@test\",\"iat\":%d,"
        "\"exp\":%d}' $((n-60)) $((n+3600)) | b); printf %s.%s.%s $h $c $(printf %s.%s $h $c | "
        "openssl dgst -sha256 -hmac " +
        key + " -binary | b)");
  }

  Dovecot* server_ = nullptr;
  MailSettings settings_;
};

TEST_P(RealConnection, LogsInAndTalks) {
  const auto connection = open_with(settings_);
  ASSERT_THAT(connection, IsOk());
  EXPECT_FALSE((*connection)->pending());
  ASSERT_THAT((*connection)->send("NOOP\r\nNOOP\r\n"), IsOk());
  EXPECT_THAT((*connection)->read_line(100), IsOk());
  EXPECT_TRUE((*connection)->wait(std::chrono::seconds(20)));
  EXPECT_THAT((*connection)->read_line(100), IsOk());
}

TEST_P(RealConnection, AWrongPasswordIsForAPerson) {
  settings_.login.password_file = file("wrong", "Tr0ub4dor\n");
  const auto connection = open_with(settings_);
  EXPECT_THAT(connection,
              Fails(AllOf(HasSubstr("refused the login"), Not(HasSubstr("Tr0ub4dor")))));
  EXPECT_EQ(recovery_of(connection), Recovery::hold);
}

TEST_P(RealConnection, AnotherAuthorityIsNotTrusted) {
  settings_.tls.ca = server_->directory() + "/other.pem";
  const auto connection = open_with(settings_);
  EXPECT_THAT(connection, Fails(HasSubstr("certificate is not trusted")));
  EXPECT_EQ(recovery_of(connection), Recovery::hold);
}

TEST_P(RealConnection, AnotherNameIsNotTrusted) {
  settings_.fetch.host = "127.0.0.2";
  EXPECT_FALSE(open_with(settings_));
  settings_.fetch.host = "localhost";
  EXPECT_THAT(open_with(settings_), IsOk());
}

TEST_P(RealConnection, OneOfThePinsMustFit) {
  settings_.tls.pins = {pin_of("other.pem")};
  const auto connection = open_with(settings_);
  EXPECT_THAT(connection, Fails(HasSubstr("none of the pinned ones")));
  EXPECT_EQ(recovery_of(connection), Recovery::hold);
  settings_.tls.pins.push_back(pin_of("server.pem"));
  EXPECT_THAT(open_with(settings_), IsOk());
}

TEST_P(RealConnection, ATokenLogsInByTheMechanismThatIsAskedFor) {
  settings_.login.token_command = "cat " + file("token", token("jwt-key"));
  for (const auto mechanism :
       {LoginSettings::Mechanism::automatic, LoginSettings::Mechanism::xoauth2,
        LoginSettings::Mechanism::oauthbearer}) {
    settings_.login.mechanism = mechanism;
    EXPECT_THAT(open_with(settings_), IsOk());
  }
  const auto log = server_->shell("cat run*.log");
  EXPECT_THAT(log, HasSubstr("method=XOAUTH2"));
  EXPECT_THAT(log, HasSubstr("method=OAUTHBEARER"));
}

TEST_P(RealConnection, AForgedTokenIsRefusedAndNotTold) {
  const auto forged = token("another-key");
  settings_.login.token_command = "cat " + file("forged", forged);
  for (const auto mechanism :
       {LoginSettings::Mechanism::xoauth2, LoginSettings::Mechanism::oauthbearer}) {
    settings_.login.mechanism = mechanism;
    EXPECT_THAT(open_with(settings_),
                Fails(AllOf(HasSubstr("refused the login"), Not(HasSubstr(forged.substr(0, 30))))));
  }
}

class RealSubmission : public RealConnection {};

// What is sent over such a login arrives behind the server.
TEST_P(RealSubmission, AMailGoesOutByAToken) {
  settings_.send = settings_.fetch;
  settings_.send.path = "client.test";
  settings_.send_login = settings_.login;
  settings_.send_login.token_command = "cat " + file("token", token("jwt-key"));
  for (const auto mechanism :
       {LoginSettings::Mechanism::xoauth2, LoginSettings::Mechanism::oauthbearer}) {
    settings_.send_login.mechanism = mechanism;
    SmtpSender sender(settings_);
    const auto before = server_->relay().mails().size();
    const auto outcome = sender.send("ra@test", {"dev", "site.test"}, "1",
                                     view_of("Subject: by token\r\n\r\nx\r\n"));
    EXPECT_EQ(outcome.what, SmtpOutcome::What::accepted) << outcome.detail;
    ASSERT_EQ(server_->relay().mails().size(), before + 1);
    EXPECT_THAT(server_->relay().mails().back(), HasSubstr("Subject: by token"));
  }
}

INSTANTIATE_TEST_SUITE_P(Servers, RealSubmission, ::testing::Values("smtp", "smtps"),
                         [](const auto& which) { return which.param; });

INSTANTIATE_TEST_SUITE_P(Servers, RealConnection,
                         ::testing::Values("imap", "imaps", "pop3", "pop3s", "smtp", "smtps"),
                         [](const auto& which) { return which.param; });

Result<std::unique_ptr<MailConnection>> open_with_token(
    const std::string& command, Duration time_limit = std::chrono::seconds(20)) {
  ScriptedMailboxServer server(friendly_imap());
  auto settings = server.settings("imap");
  settings.login.token_command = command;
  settings.time_limit = time_limit;
  return open_with(settings);
}

TEST(Connection, ATokenCommandMustPrintOneWord) {
  EXPECT_THAT(open_with_token("printf 'abc\\n\\n'"), IsOk());
  EXPECT_THAT(open_with_token("echo"), Fails(HasSubstr("printed no token")));
  EXPECT_THAT(open_with_token("echo two words"), Fails(HasSubstr("printed no token")));
  EXPECT_THAT(open_with_token("printf 'a\\r\\nb'"), Fails(HasSubstr("printed no token")));
  EXPECT_THAT(open_with_token("echo secret; exit 3"),
              Fails(AllOf(HasSubstr("failed with status 3"), Not(HasSubstr("secret")))));
  EXPECT_THAT(open_with_token("kill -9 $$"), Fails(HasSubstr("failed with signal 9")));
  EXPECT_THAT(open_with_token("yes"), Fails(HasSubstr("too much")));
}

TEST(Connection, ATokenCommandThatHangsIsKilledWithItsChildren) {
  const TemporaryDirectory directory;
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(open_with_token("sleep 1000 & echo $! > " + (directory / "pid") + "; wait",
                              std::chrono::milliseconds(500)),
              Fails(HasSubstr("took too long")));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
  std::ifstream file(directory / "pid");
  pid_t child = 0;
  ASSERT_TRUE(file >> child);
  // Nobody reaps it here; dead is enough. The signal is on its way, and a busy machine takes a
  // while.
  const auto is_dead = [child] {
    std::ifstream status("/proc/" + std::to_string(child) + "/stat");
    const std::string text((std::istreambuf_iterator<char>(status)), {});
    return text.empty() || text.find(") Z ") != std::string::npos;
  };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!is_dead() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_TRUE(is_dead());
}

TEST(Connection, GoesNoFurtherWithoutStarttls) {
  ScriptedMailboxServer server(friendly_imap());
  auto settings = server.settings("imap");
  settings.tls.required = true;
  const auto connection = open_with(settings);
  EXPECT_THAT(connection, Fails(HasSubstr("no STARTTLS")));
  EXPECT_EQ(recovery_of(connection), Recovery::hold);
  EXPECT_FALSE(server.heard("AUTHENTICATE") || server.heard("LOGIN"));
}

TEST(Connection, AGreetingThatSkipsTheLoginIsNoWayAroundTls) {
  ScriptedMailboxServer server(friendly_imap({{"greeting", {"* PREAUTH welcome\r\n"}}}));
  auto settings = server.settings("imap");
  settings.tls.required = true;
  EXPECT_FALSE(open_with(settings));
}

TEST(Connection, WordsBeforeTheHandshakeAreNotTakenForWordsAfterIt) {
  ScriptedMailboxServer server(friendly_imap(
      {{"CAPABILITY", {"* CAPABILITY IMAP4rev1 STARTTLS\r\n% OK\r\n"}},
       {"STARTTLS",
        {"% OK begin\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nA003 OK\r\nA004 OK\r\n"}}}));
  auto settings = server.settings("imap");
  settings.tls.required = true;
  EXPECT_FALSE(open_with(settings));
  EXPECT_FALSE(server.heard("AUTHENTICATE") || server.heard("LOGIN"));
}

TEST(Connection, QuotesTheServerButNoSecret) {
  ScriptedMailboxServer server(friendly_imap(
      {{"AUTHENTICATE",
        {"% NO [UNAVAILABLE] ask again token dXNlcj1yYQFhdXRoPUJlYXJlciB0b2tlbgEB\r\n"}}}));
  EXPECT_THAT(open_with(server.settings("imap")),
              Fails(AllOf(HasSubstr("refused the login"), Not(HasSubstr("token")),
                          Not(HasSubstr("dXNlcj1y")))));
}

TEST(Connection, ASilentServerIsLeftAtTheTimeLimit) {
  ScriptedMailboxServer server({{"greeting", {kSilence}}});
  auto settings = server.settings("imap");
  settings.time_limit = std::chrono::milliseconds(500);
  const auto connection = open_with(settings);
  EXPECT_THAT(connection, Fails(HasSubstr("took too long")));
  EXPECT_EQ(recovery_of(connection), Recovery::retry);
}

TEST(Connection, AStopInterruptsTheLogin) {
  ScriptedMailboxServer server(friendly_imap({{"AUTHENTICATE", {kSilence}}}));
  std::stop_source stop;
  std::jthread stopper([&] {
    while (!server.heard("AUTHENTICATE")) std::this_thread::yield();
    stop.request_stop();
  });
  EXPECT_THAT(open_with(server.settings("imap"), stop.get_token()),
              Fails(HasSubstr("a stop was requested")));
}

TEST(Connection, NobodyAtHomeIsWorthAnotherTry) {
  auto settings = ScriptedMailboxServer(friendly_imap()).settings("imap");
  const auto connection = open_with(settings);
  EXPECT_THAT(connection, Fails(HasSubstr("cannot be reached")));
  EXPECT_EQ(recovery_of(connection), Recovery::retry);
}

TEST(Connection, AfterALineThatIsTooLongNothingMoreIsRead) {
  ScriptedMailboxServer server(
      friendly_imap({{"NOOP", {std::string(2000, 'x') + "\r\n% OK\r\n"}}}));
  const auto connection = open_with(server.settings("imap"));
  ASSERT_THAT(connection, IsOk());
  ASSERT_THAT((*connection)->send("c1 NOOP\r\n"), IsOk());
  EXPECT_THAT((*connection)->read_line(1000), Fails(HasSubstr("more than 1000 octets")));
  EXPECT_THAT((*connection)->read_line(5000), Fails(HasSubstr("more than 1000 octets")));
  EXPECT_THAT((*connection)->send("c2 NOOP\r\n"), Fails(HasSubstr("more than 1000 octets")));
}

TEST(Connection, TheEndOfTheConnectionIsPending) {
  ScriptedMailboxServer server(friendly_imap({{"NOOP", {"% OK\r\n" + kHangUp}}}));
  const auto connection = open_with(server.settings("imap"));
  ASSERT_THAT(connection, IsOk());
  EXPECT_FALSE((*connection)->pending());
  ASSERT_THAT((*connection)->send("c1 NOOP\r\n"), IsOk());
  EXPECT_EQ((*connection)->read_line(100).value(), "c1 OK");
  EXPECT_TRUE((*connection)->wait(std::chrono::seconds(20)));
  EXPECT_THAT((*connection)->read_line(100), Fails(HasSubstr("closed the connection")));
}

TEST(Connection, ReadsLinesOfAnyEndAndCountedOctets) {
  ScriptedMailboxServer server(friendly_imap({{"NOOP", {"one\ntwo\r\n\r\nab\r\ncd"}}}));
  const auto connection = open_with(server.settings("imap"));
  ASSERT_THAT(connection, IsOk());
  ASSERT_THAT((*connection)->send("c1 NOOP\r\n"), IsOk());
  EXPECT_EQ((*connection)->read_line(3).value(), "one");
  EXPECT_EQ((*connection)->read_line(3).value(), "two");
  EXPECT_EQ((*connection)->read_line(0).value(), "");
  EXPECT_EQ((*connection)->read_exactly(6).value(), to_bytes("ab\r\ncd"));
  EXPECT_EQ((*connection)->read_exactly(0).value(), Bytes());
}

}  // namespace
}  // namespace cmpost
