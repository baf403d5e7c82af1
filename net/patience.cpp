#include "net/patience.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>

namespace cmpost {

Patience::Patience(Duration time_limit, const std::stop_token& stop)
    : deadline_(std::chrono::steady_clock::now() + time_limit), stop_(stop) {
  if (!stop.stop_possible()) return;
  wake_ = FileDescriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  // Without a descriptor left the stop is seen at the deadline.
  if (wake_) on_stop_.emplace(stop, [fd = wake_.get()] { ::eventfd_write(fd, 1); });
}

Duration Patience::left() const {
  const auto left =
      std::chrono::duration_cast<Duration>(deadline_ - std::chrono::steady_clock::now());
  return std::max(left, Duration::zero());
}

std::optional<Patience::End> Patience::over() const {
  if (stop_.stop_requested()) return End::stopped;
  if (left() == Duration::zero()) return End::late;
  return std::nullopt;
}

Patience::End Patience::wait(int fd, short events) const {
  for (;;) {
    if (const auto end = over()) return *end;
    // poll(2) skips negative descriptors.
    pollfd watched[] = {{fd, events, 0}, {wake_.get(), POLLIN, 0}};
    const auto millis = std::chrono::ceil<std::chrono::milliseconds>(left()).count();
    const int ready = ::poll(watched, 2, static_cast<int>(std::min<std::int64_t>(millis, 60'000)));
    if (ready < 0 && errno != EINTR) return End::ready;  // the next read says what is wrong
    if (ready > 0 && watched[0].revents != 0) return End::ready;
  }
}

}  // namespace cmpost
