#include "mail/wire/connection.h"

#include <poll.h>

#include <algorithm>
#include <array>

#include "mail/wire/curl_session.h"
#include "mail/wire/login_secret.h"

namespace cmpost {
namespace {

constexpr std::size_t kChunk = std::size_t{16} << 10U;

}  // namespace

MailConnection::MailConnection(std::string name, std::unique_ptr<CurlSession> session)
    : name_(std::move(name)), session_(std::move(session)) {}

Result<std::unique_ptr<MailConnection>> MailConnection::to_mailbox(const MailSettings& settings,
                                                                   const std::stop_token& stop) {
  return open(settings.fetch, settings.login, settings.tls, settings.time_limit, stop);
}
MailConnection::~MailConnection() = default;

Result<std::unique_ptr<MailConnection>> MailConnection::open(const MailUrl& url,
                                                             const LoginSettings& login,
                                                             const TlsSettings& tls,
                                                             Duration time_limit,
                                                             const std::stop_token& stop) {
  auto patience = std::make_unique<Patience>(time_limit, stop);
  std::string secret;
  if (!login.user.empty()) {
    auto found = login_secret(login, *patience);
    if (!found) return failure(std::move(found).error().within(server_name(url)));
    secret = std::move(*found);
  }
  auto session = CurlSession::open(url, login, secret, tls, *patience);
  if (!session) return failure(std::move(session).error().within(server_name(url)));
  std::unique_ptr<MailConnection> connection(
      new MailConnection(server_name(url), std::move(*session)));
  connection->patience_ = std::move(patience);
  return connection;
}

void MailConnection::begin(Duration time_limit, const std::stop_token& stop) {
  patience_ = std::make_unique<Patience>(time_limit, stop);
}

Result<void> MailConnection::lost(const std::string& how) {
  if (!broken_) broken_ = Error{Recovery::retry, name_ + ": " + how, ""};
  return failure(*broken_);
}

Result<void> MailConnection::await(short events) {
  switch (patience_->wait(session_->socket(), events)) {
    case Patience::End::ready:
      return {};
    case Patience::End::late:
      return lost("it took too long");
    case Patience::End::stopped:
      return lost("a stop was requested");
  }
  return {};
}

Result<void> MailConnection::send(std::string_view octets) {
  if (broken_) return failure(*broken_);
  while (!octets.empty()) {
    const auto sent = session_->send(octets);
    if (sent.code != CURLE_OK && sent.code != CURLE_AGAIN) {
      return lost(std::string("sending failed: ") + ::curl_easy_strerror(sent.code));
    }
    octets.remove_prefix(sent.octets);
    // A server that does not read while it writes would stop both sides.
    if (sent.octets == 0) TRY(await(POLLOUT));
  }
  return {};
}

// TLS keeps octets that the socket no longer shows, so this comes before any waiting.
Result<bool> MailConnection::receive() {
  if (broken_) return failure(*broken_);
  buffer_.erase(0, std::exchange(taken_, 0));
  std::array<char, kChunk> chunk;
  const auto received = session_->receive(chunk);
  if (received.code == CURLE_AGAIN) return false;
  if (received.code != CURLE_OK) {
    TRY(lost(std::string("receiving failed: ") + ::curl_easy_strerror(received.code)));
  }
  if (received.octets == 0) TRY(lost("the server closed the connection"));
  buffer_.append(chunk.data(), received.octets);
  return true;
}

Result<std::string> MailConnection::read_line(std::size_t max) {
  if (broken_) return failure(*broken_);
  std::size_t searched = taken_;
  for (;;) {
    const auto end = buffer_.find('\n', searched);
    if (end != std::string::npos && end - taken_ <= max + 1) {
      auto line = buffer_.substr(taken_, end - taken_);
      taken_ = end + 1;
      if (line.ends_with('\r')) line.pop_back();
      return line;
    }
    if (end != std::string::npos || buffer_.size() - taken_ > max + 1) {
      TRY(lost("it sent a line of more than " + std::to_string(max) + " octets"));
    }
    const auto seen = buffer_.size() - taken_;
    ASSIGN_OR_RETURN(const bool received, receive());
    if (!received) TRY(await(POLLIN));
    searched = taken_ + seen;
  }
}

Result<Bytes> MailConnection::read_exactly(std::size_t count) {
  if (broken_) return failure(*broken_);
  Bytes octets;
  for (;;) {
    const auto more = std::min(count - octets.size(), buffer_.size() - taken_);
    append(octets, view_of(std::string_view(buffer_).substr(taken_, more)));
    taken_ += more;
    if (octets.size() == count) return octets;
    ASSIGN_OR_RETURN(const bool received, receive());
    if (!received) TRY(await(POLLIN));
  }
}

bool MailConnection::pending() {
  if (taken_ < buffer_.size()) return true;
  const auto received = receive();
  return !received || *received;
}

bool MailConnection::wait(Duration time_out) {
  if (pending()) return true;
  if (patience_->over()) return false;
  const Patience shorter(std::min(time_out, patience_->left()), patience_->stop());
  while (shorter.wait(session_->socket(), POLLIN) == Patience::End::ready) {
    if (pending()) return true;  // else it was TLS talking to itself
  }
  return false;
}

}  // namespace cmpost
