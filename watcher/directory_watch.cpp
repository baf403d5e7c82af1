#include "watcher/directory_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/log.h"

namespace cmpost {
namespace {

constexpr std::uint32_t kComplete = IN_CLOSE_WRITE | IN_MOVED_TO;
// IN_CREATE alone is what a hard link makes, and so the rename of an SFTP server (link and unlink).
constexpr std::uint32_t kMask =
    kComplete | IN_CREATE | IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_ONLYDIR;

void add_event(const inotify_event& event, int watch, DirectoryWatch::Events& events) {
  if ((event.mask & IN_Q_OVERFLOW) != 0) events.overflow = true;
  if (event.wd != watch) return;  // of the directory that was watched before
  if ((event.mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)) != 0) {
    events.gone = true;
  }
  if (event.len == 0) return;
  if ((event.mask & kComplete) != 0) {
    events.complete.emplace_back(event.name);
  } else if ((event.mask & IN_CREATE) != 0) {
    events.appeared.emplace_back(event.name);
  }
}

}  // namespace

DirectoryWatch::DirectoryWatch()
    : inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
      wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

void DirectoryWatch::stop() {
  if (watch_ >= 0) ::inotify_rm_watch(inotify_.get(), watch_);
  watch_ = -1;
}

bool DirectoryWatch::watch(const std::string& path) {
  if (!inotify_) return false;
  stop();
  watch_ = ::inotify_add_watch(inotify_.get(), path.c_str(), kMask);
  return watch_ >= 0;
}

DirectoryWatch::Events DirectoryWatch::read() {
  Events events;
  alignas(inotify_event) std::array<char, 64 * 1024> buffer;
  while (inotify_) {
    const auto size = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    for (const char* at = buffer.data(); at < buffer.data() + size;) {
      const auto& event = *reinterpret_cast<const inotify_event*>(at);
      add_event(event, watch_, events);
      at += sizeof(inotify_event) + event.len;
    }
  }
  return events;
}

void DirectoryWatch::wait(Duration time_out, const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] { ::eventfd_write(wake_.get(), 1); });
  if (stop.stop_requested()) return;
  std::array<pollfd, 2> waited = {
      {{wake_.get(), POLLIN, 0}, {watch_ >= 0 ? inotify_.get() : -1, POLLIN, 0}}};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(time_out).count();
  ::poll(waited.data(), waited.size(),
         static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000)));
}

}  // namespace cmpost
