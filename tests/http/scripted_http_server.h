// An HTTP server on loopback that answers as a test tells it to.
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <functional>
#include <list>
#include <string>
#include <thread>
#include <vector>

#include "base/ascii.h"
#include "base/files.h"
#include "base/mutex.h"
#include "base/pause.h"

namespace cmpost {

struct HttpRequest {
  std::string line;    // "POST /.well-known/cmp HTTP/1.1"
  std::string fields;  // the header fields as they came
  std::string body;
  bool has_field(std::string_view field) const {
    return fields.find(std::string(field) + "\r\n") != std::string::npos;
  }
};

// What comes back for one request: octets as they are, then perhaps the end of the connection.
struct HttpReaction {
  std::string octets;
  bool hang_up = false;
  Duration before = Duration::zero();  // a pause
};

// "HTTP/1.1 200 OK" with a body of this type and its length.
inline HttpReaction http_answer(const std::string& status, const std::string& type,
                                const std::string& body, const std::string& fields = "") {
  return {"HTTP/1.1 " + status + "\r\n" + (type.empty() ? "" : "Content-Type: " + type + "\r\n") +
          "Content-Length: " + std::to_string(body.size()) + "\r\n" + fields + "\r\n" + body};
}
// An answer that tells which request it is for.
inline std::string answer_for(const std::string& request) {
  const auto text = "answer to " + request;
  return "\x30" + std::string(1, static_cast<char>(text.size() + 2)) + "\x0c" +
         std::string(1, static_cast<char>(text.size())) + text;
}
inline HttpReaction cmp_answer(const HttpRequest& request) {
  return http_answer("200 OK", "application/pkixcmp", answer_for(request.body));
}

// A thread for each connection, which is kept open.
class ScriptedHttpServer {
 public:
  using Script = std::function<HttpReaction(const HttpRequest&)>;

  explicit ScriptedHttpServer(Script script = cmp_answer) : script_(std::move(script)) { open(); }
  ~ScriptedHttpServer() {
    close();
    guests_.clear();
  }
  ScriptedHttpServer(const ScriptedHttpServer&) = delete;

  int port() const { return port_; }
  void answer(Script script) {
    const MutexLock lock(mutex_);
    script_ = std::move(script);
  }
  // Nobody listens at the port, until it is opened again.
  void close() {
    thread_.request_stop();
    if (listener_) ::shutdown(listener_.get(), SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
    hang_up();
    listener_ = FileDescriptor();
  }
  void open() {
    if (listener_) return;
    listener_ = FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    ::setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port_));
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    const bool listens = ::bind(listener_.get(), generic, size) == 0 &&
                         ::listen(listener_.get(), 20) == 0 &&
                         ::getsockname(listener_.get(), generic, &size) == 0;
    CHECK(listens);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  std::vector<HttpRequest> requests() const {
    const MutexLock lock(mutex_);
    return requests_;
  }
  std::vector<std::string> bodies() const {
    std::vector<std::string> all;
    for (const auto& request : requests()) all.push_back(request.body);
    return all;
  }
  int connections() const {
    const MutexLock lock(mutex_);
    return connections_;
  }
  // Of the requests that were in the works at one time.
  int most_at_once() const {
    const MutexLock lock(mutex_);
    return most_at_once_;
  }
  void hang_up() {
    const MutexLock lock(mutex_);
    for (const auto& guest : sockets_) ::shutdown(guest.get(), SHUT_RDWR);
  }

 private:
  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      FileDescriptor guest(::accept(listener_.get(), nullptr, nullptr));
      if (!guest) return;
      const int fd = guest.get();
      {
        const MutexLock lock(mutex_);
        ++connections_;
        sockets_.push_back(std::move(guest));
      }
      guests_.emplace_back([this, fd](const std::stop_token& end) { serve(fd, end); });
    }
  }

  void serve(int fd, const std::stop_token& stop) {
    std::string heard;
    while (auto request = take(fd, heard)) {
      Script script;
      {
        const MutexLock lock(mutex_);
        requests_.push_back(*request);
        script = script_;
        most_at_once_ = std::max(most_at_once_, ++at_once_);
      }
      const auto reaction = script(*request);
      pause(reaction.before, stop);
      {
        const MutexLock lock(mutex_);
        --at_once_;
      }
      if (::send(fd, reaction.octets.data(), reaction.octets.size(), MSG_NOSIGNAL) < 0) break;
      if (reaction.hang_up) break;
    }
    ::shutdown(fd, SHUT_RDWR);
  }

  static bool hear(int fd, std::string& heard) {
    char chunk[4096];
    const auto count = ::recv(fd, chunk, sizeof chunk, 0);
    if (count <= 0) return false;
    heard.append(chunk, static_cast<std::size_t>(count));
    return true;
  }
  static std::optional<HttpRequest> take(int fd, std::string& heard) {
    std::size_t end = 0;
    while ((end = heard.find("\r\n\r\n")) == std::string::npos) {
      if (!hear(fd, heard)) return std::nullopt;
    }
    HttpRequest request;
    const auto line = heard.find("\r\n");
    request.line = heard.substr(0, line);
    request.fields = heard.substr(line + 2, end - line);
    heard.erase(0, end + 4);
    const auto at = lower_ascii(request.fields).find("content-length: ");
    const auto length = at == std::string::npos ? 0 : std::stoul(request.fields.substr(at + 16));
    while (heard.size() < length) {
      if (!hear(fd, heard)) return std::nullopt;
    }
    request.body = heard.substr(0, length);
    heard.erase(0, length);
    return request;
  }

  mutable Mutex mutex_;
  Script script_ GUARDED_BY(mutex_);
  std::vector<HttpRequest> requests_ GUARDED_BY(mutex_);
  int connections_ GUARDED_BY(mutex_) = 0;
  int at_once_ GUARDED_BY(mutex_) = 0, most_at_once_ GUARDED_BY(mutex_) = 0;
  std::list<FileDescriptor> sockets_ GUARDED_BY(mutex_);
  FileDescriptor listener_;
  int port_ = 0;
  std::list<std::jthread> guests_;  // of the thread
  std::jthread thread_;
};

}  // namespace cmpost
