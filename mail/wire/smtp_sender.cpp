#include "mail/wire/smtp_sender.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "mail/wire/connection.h"
#include "mail/wire/smtp_session.h"

namespace cmpost {
namespace {

// Servers end connections that carry much or nothing; we do so first, at a moment that we choose.
constexpr int kMailsPerConnection = 100;
constexpr auto kIdleTime = std::chrono::seconds(30);

bool is_full(std::string_view name) { return name.find('.') != std::string_view::npos; }

bool is_name_octet(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
         c == '-' || c == '[' || c == ']' || c == ':';
}

const Clock& steady_clock_of_all() {
  static const SteadyClock kClock;
  return kClock;
}

std::string host_name() {
  std::array<char, 256> host{};
  return ::gethostname(host.data(), host.size() - 1) == 0 ? host.data() : "";
}

}  // namespace

std::string greeting_name(const MailSettings& settings, const std::string& host) {
  if (!settings.hello.empty()) return settings.hello;
  // Many servers refuse a name without a dot (RFC 5321 4.1.1.1: "a fully-qualified domain name").
  auto name = settings.send.path;
  if (name.empty()) name = is_full(host) || !is_full(settings.domain) ? host : settings.domain;
  const bool fit = !name.empty() && std::all_of(name.begin(), name.end(), is_name_octet);
  return fit ? name : "localhost";
}

struct SmtpSender::State {
  State(const MailSettings& mail, const Clock& clock) : settings(mail), steady(clock) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { close(); }

  // A session that waits for MAIL.
  Result<void> ready();
  SmtpOutcome send(const SmtpEnvelope& envelope, ByteView raw);
  Result<void> noop();

  bool worn() const;
  bool reuse();
  Result<void> open();
  void close();
  void drop();

  const MailSettings settings;
  const Clock& steady;
  std::unique_ptr<MailConnection> connection;
  std::unique_ptr<SmtpSession> session;  // on *connection
  int mails = 0;                         // over this connection
  Time last_use{};
  std::stop_token stop;  // of the call that is being worked on
};

Result<void> SmtpSender::State::ready() { return reuse() ? Result<void>() : open(); }

bool SmtpSender::State::worn() const {
  return mails >= kMailsPerConnection || steady.now() - last_use > kIdleTime;
}

// A connection that has ended since the mail before costs no mail its try: RSET finds that out
// while nothing is at stake, here or as the first of several commands.
bool SmtpSender::State::reuse() {
  if (!connection) return false;
  if (worn()) {
    close();
    return false;
  }
  connection->begin(settings.time_limit, stop);
  if (!connection->pending() && (session->pipelining() || session->reset())) return true;
  drop();
  return false;
}

Result<void> SmtpSender::State::open() {
  // Whoever connects says EHLO, and so does the session, to hear what the server can.
  auto url = settings.send;
  url.path = greeting_name(settings, host_name());
  ASSIGN_OR_RETURN(connection, MailConnection::open(url, settings.send_login, settings.tls,
                                                    settings.time_limit, stop));
  session = std::make_unique<SmtpSession>(*connection);
  mails = 0;
  auto greeted = session->greet(url.path);
  if (!greeted) drop();
  return greeted;
}

void SmtpSender::State::close() {
  if (!connection) return;
  connection->begin(std::chrono::seconds(1));
  session->quit();
  drop();
}

void SmtpSender::State::drop() {
  session.reset();
  connection.reset();
}

SmtpOutcome SmtpSender::State::send(const SmtpEnvelope& envelope, ByteView raw) {
  connection->begin(settings.time_limit, stop);
  auto outcome = session->send(envelope, raw);
  if (!outcome) {
    drop();
    if (auto opened = open(); !opened) {
      return {SmtpOutcome::What::channel, to_string(opened.error()), true};
    }
    outcome = session->send(envelope, raw);
  }
  ++mails;
  last_use = steady.now();
  // A new connection always says what became of the mail.
  const auto result = outcome.value_or(SmtpOutcome{SmtpOutcome::What::temporary, {}, true});
  if (result.disconnected) drop();
  return result;
}

Result<void> SmtpSender::State::noop() {
  auto done = session->noop();
  last_use = steady.now();
  if (!done) drop();
  return done;
}

SmtpSender::SmtpSender(const MailSettings& settings)
    : SmtpSender(settings, steady_clock_of_all()) {}
SmtpSender::SmtpSender(const MailSettings& settings, const Clock& steady)
    : state_(std::make_unique<State>(settings, steady)) {}
SmtpSender::~SmtpSender() = default;

Result<void> SmtpSender::connect() {
  TRY(state_->ready());
  return state_->noop();
}

Result<void> SmtpSender::ask_whether_mail_goes() {
  TRY(state_->ready());
  const auto& own = state_->settings.from;
  const SmtpEnvelope envelope = {own, own, "", 0};
  TRY(check_envelope(envelope));
  const auto refused = state_->session->ask_whether_mail_goes(envelope);
  state_->close();
  if (!refused) return {};
  if (refused->disconnected) return retry(refused->detail);
  if (refused->what != SmtpOutcome::What::permanent) return {};  // as greylisting does
  return hold(refused->detail,
              "each answer would be refused; see `hello`, `from` and `send_login`");
}

SmtpOutcome SmtpSender::send(const std::string& sender, const Mailbox& recipient,
                             const std::string& envelope_id, ByteView raw,
                             const std::stop_token& stop) {
  state_->stop = stop;
  const SmtpEnvelope envelope = {sender, recipient.text(), envelope_id, raw.size()};
  if (auto fit = check_envelope(envelope); !fit) {
    return {SmtpOutcome::What::permanent, to_string(fit.error()), false};
  }
  if (auto fit = check_mail(raw); !fit) {
    return {SmtpOutcome::What::permanent, to_string(fit.error()), false};
  }
  if (auto ready = state_->ready(); !ready) {
    return {SmtpOutcome::What::channel, to_string(ready.error()), true};
  }
  return state_->send(envelope, raw);
}

}  // namespace cmpost
