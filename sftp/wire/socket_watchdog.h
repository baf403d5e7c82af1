// Ends operations that take too long.
#pragma once

#include <chrono>
#include <condition_variable>
#include <list>
#include <memory>
#include <thread>

#include "base/clock.h"
#include "base/files.h"
#include "base/mutex.h"

namespace cmpost {

// libssh waits for a silent server as long as that pleases. A thread shuts the socket down when a
// call has taken longer than it may, and the call returns with an error at once. All members may be
// called from any thread.
class SocketWatchdog {
 public:
  class Watch;

  ~SocketWatchdog();

  // Watches a copy of `fd`: the number itself may mean another file by the time that it matters.
  // The first one starts the thread, and is an Error (retry) where there is none to be had.
  Result<std::unique_ptr<Watch>> watch(int fd, Duration limit);

  // From now on no operation may last longer than for `grace` from now; for a service that stops.
  void hurry(Duration grace);
  // Its grace is over.
  bool out_of_time();
  // Back to the limits of each.
  void relax();

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;
  struct Entry {
    FileDescriptor socket;
    std::chrono::steady_clock::duration limit;
    SteadyTime due = SteadyTime::max();
    bool fired = false;
  };

  void run();

  Mutex mutex_;
  std::condition_variable_any changed_;
  std::list<Entry> entries_ GUARDED_BY(mutex_);
  SteadyTime latest_ GUARDED_BY(mutex_) = SteadyTime::max();  // hurry()
  SteadyTime wakes_ GUARDED_BY(mutex_) = SteadyTime::max();   // when the thread looks next
  bool ends_ GUARDED_BY(mutex_) = false;
  std::jthread thread_ GUARDED_BY(mutex_);
};

// One socket's. Must not outlive the watchdog.
class SocketWatchdog::Watch {
 public:
  Watch(SocketWatchdog& dog, std::list<Entry>::iterator entry) : dog_(dog), entry_(entry) {}
  ~Watch();
  Watch(const Watch&) = delete;

  // The operation that begins now has the limit's time; arming again starts it anew.
  void arm();
  void disarm();
  // The socket was shut down.
  bool fired() const;

 private:
  SocketWatchdog& dog_;
  std::list<Entry>::iterator entry_;
};

}  // namespace cmpost
