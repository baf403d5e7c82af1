#include "sftp/wire/tcp_connect.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/name_lookup.h"

namespace cmpost {
namespace {

using SteadyClockTime = std::chrono::steady_clock::time_point;
constexpr auto kSlice = std::chrono::milliseconds(100);            // between two looks at `give_up`
constexpr int kKeepIdle = 30, kKeepInterval = 10, kKeepCount = 3;  // seconds, seconds, probes

void set_option(int fd, int level, int name, int value) {
  // A kernel without one of them only notices later.
  (void)::setsockopt(fd, level, name, &value, sizeof value);
}

void notice_dead_peers(int fd, Duration limit) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, kKeepIdle);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, kKeepInterval);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, kKeepCount);
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(limit).count();
  set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(millis));
}

// 0, or errno.
int finish_connecting(int fd, SteadyClockTime until, const std::function<bool()>& give_up) {
  pollfd waiting{fd, POLLOUT, 0};
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0 || give_up()) return ETIMEDOUT;
    const int ready =
        ::poll(&waiting, 1, static_cast<int>(std::min<std::int64_t>(left.count(), kSlice.count())));
    if (ready > 0) break;
    if (ready < 0 && errno != EINTR) return errno;
  }
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

Result<FileDescriptor> connect_to(const addrinfo& address, const std::string& name,
                                  SteadyClockTime until, const std::function<bool()>& give_up) {
  FileDescriptor socket(
      ::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, address.ai_protocol));
  if (!socket) return failure(errno_error("connecting to", name, errno));
  int error = ::connect(socket.get(), address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
  if (error == EINPROGRESS) error = finish_connecting(socket.get(), until, give_up);
  if (error == 0) return socket;
  auto failed = errno_error("connecting to", name, error);
  failed.recovery = Recovery::retry;
  return failure(std::move(failed));
}

}  // namespace

Result<FileDescriptor> tcp_connect(const std::string& host, int port, Duration limit,
                                   const std::function<bool()>& give_up) {
  const auto until = std::chrono::steady_clock::now() + limit;
  const auto name = host + ":" + std::to_string(port);
  ASSIGN_OR_RETURN(const auto addresses, find_addresses(host, port, until, give_up));
  Result<FileDescriptor> socket = retry("finding the address of " + host + ": it has none");
  for (const auto* address = addresses.get(); address != nullptr; address = address->ai_next) {
    if (give_up()) return retry("connecting to " + name + ": given up");
    socket = connect_to(*address, name, until, give_up);
    if (!socket) continue;
    notice_dead_peers(socket->get(), limit);
    break;
  }
  return socket;
}

}  // namespace cmpost
