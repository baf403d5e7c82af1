// An SMTP server on loopback that answers as a test tells it to.
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/files.h"
#include "base/mutex.h"

namespace cmpost {

// At the end of an answer, or instead of one.
inline const std::string kHangUp = "(hang up)";
// Instead of an answer, until the client leaves.
inline const std::string kSilence = "(silence)";

// By verb, and "greeting", "body" (after 354, before any of the mail was read), "mail" (after the
// last dot). The n-th answer is for the n-th time, the last one for all that follow.
using SmtpScript = std::map<std::string, std::vector<std::string>>;

// A socket that listens on a free port of loopback, and the port.
inline std::pair<FileDescriptor, int> listen_on_loopback() {
  FileDescriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  const bool listens = ::bind(listener.get(), generic, size) == 0 &&
                       ::listen(listener.get(), 5) == 0 &&
                       ::getsockname(listener.get(), generic, &size) == 0;
  CHECK(listens);
  return {std::move(listener), ntohs(address.sin_port)};
}

// Content with everything, but for what the script says. One guest at a time.
class ScriptedSmtpServer {
 public:
  explicit ScriptedSmtpServer(SmtpScript script = {}) : script_(std::move(script)) {
    std::tie(listener_, port_) = listen_on_loopback();
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  ~ScriptedSmtpServer() {
    thread_.request_stop();
    ::shutdown(listener_.get(), SHUT_RDWR);
    const MutexLock lock(mutex_);
    if (guest_) ::shutdown(guest_.get(), SHUT_RDWR);
  }
  ScriptedSmtpServer(const ScriptedSmtpServer&) = delete;

  int port() const { return port_; }
  std::vector<std::string> commands() const {
    const MutexLock lock(mutex_);
    return commands_;
  }
  // As sent: with stuffed dots, without the last one.
  std::vector<std::string> mails() const {
    const MutexLock lock(mutex_);
    return mails_;
  }
  int connections() const {
    const MutexLock lock(mutex_);
    return connections_;
  }
  // From now on these.
  void answer(const std::string& verb, std::vector<std::string> answers) {
    const MutexLock lock(mutex_);
    script_[verb] = std::move(answers);
    times_[verb] = 0;
  }
  // From now on the usual answer.
  void forget(const std::string& verb) {
    const MutexLock lock(mutex_);
    script_.erase(verb);
  }
  // Ends the connection of the guest that is there.
  void hang_up() {
    const MutexLock lock(mutex_);
    if (guest_) ::shutdown(guest_.get(), SHUT_RDWR);
  }

 private:
  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      FileDescriptor guest(::accept(listener_.get(), nullptr, nullptr));
      if (!guest) return;
      const int fd = guest.get();
      {
        const MutexLock lock(mutex_);
        guest_ = std::move(guest);
        ++connections_;
      }
      serve(fd);
      const MutexLock lock(mutex_);
      guest_ = FileDescriptor();
    }
  }

  void serve(int fd) {
    std::string heard;
    if (!say(fd, "greeting")) return;
    while (auto line = take(fd, heard, "\r\n")) {
      const auto verb = line->substr(0, line->find(' '));
      note_command(*line);
      if (!say(fd, verb)) return;
      if (verb == "QUIT") return;
      if (verb == "DATA" && said_.starts_with('3') && !take_mail(fd, heard)) return;
    }
  }

  bool take_mail(int fd, std::string& heard) {
    if (is_scripted("body") && !say(fd, "body")) return false;
    heard.insert(0, "\r\n");  // so that a mail without any line ends, too
    const auto mail = take(fd, heard, "\r\n.\r\n");
    if (!mail) return false;
    note_mail(mail->empty() ? "" : mail->substr(2) + "\r\n");
    return say(fd, "mail");
  }

  // What comes before `end`.
  static std::optional<std::string> take(int fd, std::string& heard, std::string_view end) {
    for (;;) {
      if (const auto at = heard.find(end); at != std::string::npos) {
        auto taken = heard.substr(0, at);
        heard.erase(0, at + end.size());
        return taken;
      }
      char chunk[4096];
      const auto count = ::recv(fd, chunk, sizeof chunk, 0);
      if (count <= 0) return std::nullopt;
      heard.append(chunk, static_cast<std::size_t>(count));
    }
  }

  void note_command(std::string command) {
    const MutexLock lock(mutex_);
    commands_.push_back(std::move(command));
  }
  void note_mail(std::string mail) {
    const MutexLock lock(mutex_);
    mails_.push_back(std::move(mail));
  }

  bool is_scripted(const std::string& verb) const {
    const MutexLock lock(mutex_);
    return script_.contains(verb);
  }
  std::string wanted(const std::string& verb) {
    const MutexLock lock(mutex_);
    const auto found = script_.find(verb);
    if (found == script_.end()) return {};
    const auto time = times_[verb]++;
    return found->second[std::min(time, found->second.size() - 1)];
  }

  static std::string usual(const std::string& verb) {
    if (verb == "greeting") return "220 mx.test ESMTP\r\n";
    if (verb == "EHLO") return "250-mx.test\r\n250-SIZE 2000000\r\n250-DSN\r\n250 8BITMIME\r\n";
    if (verb == "DATA") return "354 go on\r\n";
    if (verb == "mail") return "250 2.0.0 Ok: queued as 4711\r\n";
    if (verb == "QUIT") return "221 2.0.0 Bye\r\n";
    return "250 2.1.0 Ok\r\n";
  }

  bool say(int fd, const std::string& verb) {
    const auto scripted = wanted(verb);
    said_ = scripted.empty() ? usual(verb) : scripted;
    const bool last = said_.ends_with(kHangUp);
    if (last) said_.resize(said_.size() - kHangUp.size());
    if (said_ == kSilence) {
      std::string nothing;
      take(fd, nothing, "(this never comes)");
      return false;
    }
    return ::send(fd, said_.data(), said_.size(), MSG_NOSIGNAL) >= 0 && !last;
  }

  mutable Mutex mutex_;
  SmtpScript script_ GUARDED_BY(mutex_);
  std::map<std::string, std::size_t> times_ GUARDED_BY(mutex_);
  std::vector<std::string> commands_ GUARDED_BY(mutex_);
  std::vector<std::string> mails_ GUARDED_BY(mutex_);
  int connections_ GUARDED_BY(mutex_) = 0;
  FileDescriptor guest_ GUARDED_BY(mutex_);
  std::string said_;  // of the thread
  FileDescriptor listener_;
  int port_ = 0;
  std::jthread thread_;  // last: ends before the rest
};

}  // namespace cmpost
