// Each line of the result table (docs/mail.md) provoked with Postfix's smtp-sink, a real server
// that misbehaves on demand.
#include <gmock/gmock.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "mail/wire/smtp_sender.h"
#include "tests/mail/scripted_smtp_server.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;
using SinkWhat = SmtpOutcome::What;

const char* const kSmtpSink = "/usr/sbin/smtp-sink";

class SmtpSink {
 public:
  explicit SmtpSink(const std::vector<std::string>& options) : port_(listen_on_loopback().second) {
    std::vector<std::string> words = {kSmtpSink, "-u", "nobody"};
    if (::geteuid() != 0) words.resize(1);
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {"127.0.0.1:" + std::to_string(port_), "10"});
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    child_ = ::fork();
    if (child_ == 0) {
      ::execv(kSmtpSink, arguments.data());
      ::_exit(1);
    }
  }
  ~SmtpSink() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  SmtpSink(const SmtpSink&) = delete;

  // Whether it listens within ten seconds.
  bool ready() const {
    for (int i = 0; i < 1000; ++i) {
      if (reachable()) return true;
      ::poll(nullptr, 0, 10);
    }
    return false;
  }
  MailSettings settings() const {
    MailSettings settings;
    settings.send = {"smtp", "127.0.0.1", port_, "client.test"};
    settings.tls.required = false;
    settings.time_limit = std::chrono::seconds(10);
    return settings;
  }

 private:
  bool reachable() const {
    const FileDescriptor guest(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port_));
    return ::connect(guest.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }

  int port_;
  pid_t child_ = -1;
};

struct SinkCase {
  const char* name;
  std::vector<std::string> options;
  SinkWhat expected;
  const char* words;
  bool disconnected = false;
};

class SmtpSinkTable : public ::testing::TestWithParam<SinkCase> {
 protected:
  static SmtpOutcome send_to(const SmtpSink& sink, Duration time_limit = std::chrono::seconds(10)) {
    auto settings = sink.settings();
    settings.time_limit = time_limit;
    return SmtpSender(settings).send("pki@ca.test", {"dev", "site.test"}, "job1",
                                     view_of("Subject: an answer\r\n\r\nx\r\n"));
  }
};

TEST_P(SmtpSinkTable, EndsAsWritten) {
  const SmtpSink sink(GetParam().options);
  ASSERT_TRUE(sink.ready()) << kSmtpSink << " does not start; it comes with the package postfix";
  const auto outcome = send_to(sink);
  EXPECT_EQ(outcome.what, GetParam().expected) << outcome.detail;
  EXPECT_THAT(outcome.detail, HasSubstr(GetParam().words));
  EXPECT_EQ(outcome.disconnected, GetParam().disconnected);
}

INSTANTIATE_TEST_SUITE_P(
    Postfix, SmtpSinkTable,
    ::testing::Values(
        SinkCase{"Taken", {}, SinkWhat::accepted, "250"},
        SinkCase{"TakenWithoutPipelining", {"-p"}, SinkWhat::accepted, "250"},
        SinkCase{"TakenWithoutEsmtp", {"-e"}, SinkWhat::accepted, "250"},
        SinkCase{"MailLater", {"-r", "MAIL"}, SinkWhat::temporary, "answered MAIL with: 450"},
        SinkCase{"RecipientLater", {"-r", "RCPT"}, SinkWhat::temporary, "answered RCPT with: 450"},
        SinkCase{"DataLater", {"-r", "DATA"}, SinkWhat::temporary, "answered DATA with: 450"},
        SinkCase{"MailboxBusy", {"-r", ".", "-b", "451 4.3.0 busy"}, SinkWhat::temporary, "451"},
        SinkCase{"Closing", {"-Q", "RCPT"}, SinkWhat::temporary, "421", true},
        SinkCase{"ClosingAtTheEnd", {"-Q", "."}, SinkWhat::temporary, "421", true},
        SinkCase{"MailNever", {"-f", "MAIL"}, SinkWhat::permanent, "answered MAIL with: 500"},
        SinkCase{
            "NobodyThere", {"-f", "RCPT", "-B", "550 5.1.1 unknown"}, SinkWhat::permanent, "550"},
        SinkCase{"TooLarge", {"-f", "MAIL", "-B", "552 5.3.4 size"}, SinkWhat::permanent, "552"},
        SinkCase{"DataNever", {"-f", "DATA"}, SinkWhat::permanent, "answered DATA with: 500"},
        SinkCase{"Spam", {"-f", ".", "-B", "554 5.7.1 spam"}, SinkWhat::permanent, "554"},
        SinkCase{
            "LoginWanted", {"-f", "MAIL", "-B", "530 5.7.0 login"}, SinkWhat::channel, "530", true},
        SinkCase{
            "GoneAtMail", {"-q", "MAIL"}, SinkWhat::temporary, "before the mail was sent", true},
        SinkCase{"GoneAtRecipient", {"-q", "RCPT"}, SinkWhat::temporary, "before the mail", true},
        SinkCase{
            "GoneAtData", {"-q", "DATA"}, SinkWhat::temporary, "before the mail was sent", true},
        SinkCase{"GoneAfterTheMail", {"-q", "."}, SinkWhat::unknown, "may or may not", true},
        SinkCase{"GoneAtConnect", {"-q", "CONNECT"}, SinkWhat::channel, "", true}),
    [](const auto& one) { return one.param.name; });

TEST_F(SmtpSinkTable, SilenceAfterTheMailMayMeanThatItWasTaken) {
  const SmtpSink sink({"-W", ".:30"});
  ASSERT_TRUE(sink.ready());
  const auto outcome = send_to(sink, std::chrono::seconds(1));
  EXPECT_EQ(outcome.what, SinkWhat::unknown) << outcome.detail;
  EXPECT_TRUE(outcome.disconnected);
}

TEST_F(SmtpSinkTable, SilenceBeforeTheMailMeansThatItWasNotTaken) {
  // Without pipelining, of which smtp-sink answers what comes behind the delayed command first.
  const SmtpSink sink({"-p", "-W", "MAIL:30"});
  ASSERT_TRUE(sink.ready());
  const auto outcome = send_to(sink, std::chrono::seconds(1));
  EXPECT_EQ(outcome.what, SinkWhat::temporary) << outcome.detail;
  EXPECT_TRUE(outcome.disconnected);
}

TEST_F(SmtpSinkTable, AServerThatCannotSpeakTlsIsTroubleOfTheChannel) {
  const SmtpSink sink({});
  ASSERT_TRUE(sink.ready());
  auto settings = sink.settings();
  settings.tls.required = true;
  EXPECT_EQ(SmtpSender(settings)
                .send("pki@ca.test", {"dev", "site.test"}, "job1", view_of("A: b\r\n"))
                .what,
            SinkWhat::channel);
}

}  // namespace
}  // namespace cmpost
