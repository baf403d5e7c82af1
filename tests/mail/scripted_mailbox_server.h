// An IMAP or POP3 server on loopback, without TLS, that answers as a test tells it to.
#pragma once

#include <map>
#include <thread>

#include "base/mutex.h"
#include "config/transport/mail_settings.h"
#include "tests/mail/scripted_smtp_server.h"

namespace cmpost {

// By the begin of a command; the longest that fits counts. "%" stands for the tag. The n-th answer
// is for the n-th time, the last one for all that follow. kHangUp and kSilence as with SMTP.
using MailboxScript = std::map<std::string, std::vector<std::string>>;

class ScriptedMailboxServer {
 public:
  explicit ScriptedMailboxServer(MailboxScript script) : script_(std::move(script)) {
    std::tie(listener_, port_) = listen_on_loopback();
    thread_ = std::jthread([this] { run(); });
  }
  ~ScriptedMailboxServer() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    const MutexLock lock(mutex_);
    if (guest_) ::shutdown(guest_.get(), SHUT_RDWR);
  }
  ScriptedMailboxServer(const ScriptedMailboxServer&) = delete;

  // Of all connections, without tags.
  std::vector<std::string> commands() const {
    const MutexLock lock(mutex_);
    return commands_;
  }
  bool heard(const std::string& begin) const {
    const auto all = commands();
    return std::any_of(all.begin(), all.end(),
                       [&](const auto& command) { return command.starts_with(begin); });
  }
  // What a client needs to come here.
  MailSettings settings(const std::string& scheme) const {
    MailSettings settings;
    settings.fetch = {scheme, "127.0.0.1", port_, ""};
    settings.tls.required = false;
    settings.login.user = "ra";
    settings.login.token_command = "echo token";
    settings.time_limit = std::chrono::seconds(20);
    return settings;
  }

 private:
  void run() {
    for (;;) {
      FileDescriptor guest(::accept(listener_.get(), nullptr, nullptr));
      if (!guest) return;
      const int fd = guest.get();
      {
        const MutexLock lock(mutex_);
        guest_ = std::move(guest);
      }
      serve(fd);
      const MutexLock lock(mutex_);
      guest_ = FileDescriptor();
    }
  }

  void serve(int fd) {
    std::string heard;
    if (!say(fd, "", "greeting")) return;
    for (;;) {
      const auto end = heard.find("\r\n");
      if (end == std::string::npos) {
        char chunk[4096];
        const auto count = ::recv(fd, chunk, sizeof chunk, 0);
        if (count <= 0) return;
        heard.append(chunk, static_cast<std::size_t>(count));
        continue;
      }
      auto line = heard.substr(0, end);
      heard.erase(0, end + 2);
      // Tags are libcurl's "A001" and our "c1".
      std::string tag;
      if (!line.empty() && (line[0] == 'A' || line[0] == 'c') && line.size() > 1 &&
          line[1] >= '0' && line[1] <= '9') {
        tag = line.substr(0, line.find(' '));
        line.erase(0, tag.size() + 1);
      }
      if (!say(fd, tag, line)) return;
    }
  }

  std::string answer_to(const std::string& command) {
    const MutexLock lock(mutex_);
    commands_.push_back(command);
    const std::vector<std::string>* found = nullptr;
    std::string key;
    for (const auto& [begin, answers] : script_) {
      if (!command.starts_with(begin) || (found != nullptr && begin.size() < key.size())) continue;
      found = &answers;
      key = begin;
    }
    if (found == nullptr) return "% OK done\r\n";
    return (*found)[std::min(times_[key]++, found->size() - 1)];
  }

  bool say(int fd, const std::string& tag, const std::string& command) {
    auto answer = answer_to(command);
    if (answer == kSilence) return true;
    const bool leaves = answer.ends_with(kHangUp);
    if (leaves) answer.resize(answer.size() - kHangUp.size());
    for (auto at = answer.find('%'); at != std::string::npos;
         at = answer.find('%', at + tag.size())) {
      answer.replace(at, 1, tag);
    }
    const auto sent = ::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
    return sent == static_cast<ssize_t>(answer.size()) && !leaves;
  }

  MailboxScript script_;
  FileDescriptor listener_;
  int port_ = 0;
  mutable Mutex mutex_;
  FileDescriptor guest_ GUARDED_BY(mutex_);
  std::vector<std::string> commands_ GUARDED_BY(mutex_);
  std::map<std::string, std::size_t> times_ GUARDED_BY(mutex_);
  std::jthread thread_;
};

// What a friendly IMAP server with one mail says; a test exchanges what matters to it.
inline MailboxScript friendly_imap(const MailboxScript& changes = {}) {
  MailboxScript script = {
      {"greeting", {"* OK hello\r\n"}},
      {"CAPABILITY",
       {"* CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR MOVE UIDPLUS IDLE\r\n% OK done\r\n"}},
      {"LIST", {"* LIST (\\Noselect) \"/\" \"\"\r\n% OK done\r\n"}},
      {"SELECT",
       {"* 1 EXISTS\r\n* OK [PERMANENTFLAGS (\\Seen \\*)] ok\r\n* OK [UIDVALIDITY 3] ok\r\n% OK "
        "[READ-WRITE] done\r\n"}},
      {"UID SEARCH", {"* SEARCH 7\r\n% OK done\r\n"}},
      {"UID FETCH 7 (UID RFC822.SIZE)", {"* 1 FETCH (UID 7 RFC822.SIZE 5)\r\n% OK done\r\n"}},
      {"UID FETCH 7 (UID BODY.PEEK", {"* 1 FETCH (UID 7 BODY[]<0> {5}\r\nhello)\r\n% OK done\r\n"}},
  };
  for (const auto& [key, answers] : changes) script[key] = answers;
  return script;
}

}  // namespace cmpost
