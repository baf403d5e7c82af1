#include "sftp/wire/socket_watchdog.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>

#include "base/start_thread.h"

namespace cmpost {

SocketWatchdog::~SocketWatchdog() {
  {
    const MutexLock lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Result<std::unique_ptr<SocketWatchdog::Watch>> SocketWatchdog::watch(int fd, Duration limit) {
  const MutexLock lock(mutex_);
  if (!thread_.joinable()) {
    ASSIGN_OR_RETURN(thread_, start_thread([this] { run(); }));
  }
  entries_.push_front({FileDescriptor(::fcntl(fd, F_DUPFD_CLOEXEC, 0)), limit});
  return std::make_unique<Watch>(*this, entries_.begin());
}

void SocketWatchdog::hurry(Duration grace) {
  const MutexLock lock(mutex_);
  latest_ = std::chrono::steady_clock::now() + grace;
  for (auto& entry : entries_) {
    if (entry.due != SteadyTime::max()) entry.due = std::min(entry.due, latest_);
  }
  changed_.notify_all();
}

bool SocketWatchdog::out_of_time() {
  const MutexLock lock(mutex_);
  return std::chrono::steady_clock::now() >= latest_;
}

void SocketWatchdog::relax() {
  const MutexLock lock(mutex_);
  latest_ = SteadyTime::max();
}

void SocketWatchdog::run() {
  MutexLock lock(mutex_);
  while (!ends_) {
    const auto now = std::chrono::steady_clock::now();
    wakes_ = SteadyTime::max();
    for (auto& entry : entries_) {
      if (entry.due > now) {
        wakes_ = std::min(wakes_, entry.due);
        continue;
      }
      ::shutdown(entry.socket.get(), SHUT_RDWR);
      entry.fired = true;
      entry.due = SteadyTime::max();
    }
    if (wakes_ == SteadyTime::max()) {
      changed_.wait(lock);
    } else {
      changed_.wait_until(lock, wakes_);
    }
  }
}

SocketWatchdog::Watch::~Watch() {
  const MutexLock lock(dog_.mutex_);
  dog_.entries_.erase(entry_);
}

void SocketWatchdog::Watch::arm() {
  const MutexLock lock(dog_.mutex_);
  entry_->due = std::min(std::chrono::steady_clock::now() + entry_->limit, dog_.latest_);
  // Mostly it wakes earlier anyway, for an operation that has ended since.
  if (entry_->due < dog_.wakes_) dog_.changed_.notify_all();
}

void SocketWatchdog::Watch::disarm() {
  const MutexLock lock(dog_.mutex_);
  entry_->due = SteadyTime::max();
}

bool SocketWatchdog::Watch::fired() const {
  const MutexLock lock(dog_.mutex_);
  return entry_->fired;
}

}  // namespace cmpost
