#include "queue/work_signal.h"

#include <algorithm>

namespace cmpost {
namespace {

constexpr auto kAskEvery = std::chrono::milliseconds(75);

}  // namespace

std::uint64_t WorkSignal::generation() const {
  const MutexLock lock(mutex_);
  return generation_;
}

void WorkSignal::nothing_found(std::uint64_t generation) {
  const MutexLock lock(mutex_);
  seen_ = std::max(seen_, generation);
}

void WorkSignal::work_added() {
  {
    const MutexLock lock(mutex_);
    ++generation_;
  }
  added_.notify_all();
}

void WorkSignal::wait(std::chrono::microseconds time_out, const std::function<bool()>& changed) {
  const auto end = std::chrono::steady_clock::now() + time_out;
  while (!changed()) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= end) return;
    MutexLock lock(mutex_);
    const auto pause = std::min<std::chrono::steady_clock::duration>(kAskEvery, end - now);
    if (added_.wait_for(lock, pause, [this]() REQUIRES(mutex_) { return generation_ != seen_; }))
      return;
  }
}

}  // namespace cmpost
