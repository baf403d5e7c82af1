// Wakes who waits for work.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>

#include "base/mutex.h"

namespace cmpost {

// Work that comes between a look and the wait after it is not missed: the look notes generation()
// before it starts, and nothing_found() with that number when it was in vain. All members may be
// called from any thread.
class WorkSignal {
 public:
  std::uint64_t generation() const;
  void nothing_found(std::uint64_t generation);
  void work_added();
  // Until work was added since the last vain look, `changed` says so (asked now and then, without
  // a lock held), or the time is over.
  void wait(std::chrono::microseconds time_out, const std::function<bool()>& changed);

 private:
  mutable Mutex mutex_;
  std::condition_variable_any added_;
  std::uint64_t generation_ GUARDED_BY(mutex_) = 0;
  std::uint64_t seen_ GUARDED_BY(mutex_) = 0;
};

}  // namespace cmpost
