// Mutexes, and what they guard. Clang proves it (scripts/check-threads.sh); to g++ the words below
// say nothing. The mutex of the standard library cannot be named in them.
#pragma once

#include <mutex>

#ifdef __clang__
#define CMPOST_THREAD_SAFETY(attribute) __attribute__((attribute))
#else
#define CMPOST_THREAD_SAFETY(attribute)
#endif

// A member that nobody touches without the mutex; the second, what a pointer points to.
#define GUARDED_BY(mutex) CMPOST_THREAD_SAFETY(guarded_by(mutex))
#define PT_GUARDED_BY(mutex) CMPOST_THREAD_SAFETY(pt_guarded_by(mutex))
// A function whose caller has the mutex, or must not have it. Of a lambda: after its ().
#define REQUIRES(mutex) CMPOST_THREAD_SAFETY(requires_capability(mutex))
#define EXCLUDES(mutex) CMPOST_THREAD_SAFETY(locks_excluded(mutex))
// A function that needs no mutex for what it touches; its comment says why.
#define NEEDS_NO_MUTEX CMPOST_THREAD_SAFETY(no_thread_safety_analysis)

namespace cmpost {

class CMPOST_THREAD_SAFETY(capability("mutex")) Mutex {
 public:
  Mutex() = default;
  void lock() CMPOST_THREAD_SAFETY(acquire_capability()) { mutex_.lock(); }
  void unlock() CMPOST_THREAD_SAFETY(release_capability()) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

// Has the mutex as long as it lives. A std::condition_variable_any waits with it.
class CMPOST_THREAD_SAFETY(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) CMPOST_THREAD_SAFETY(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.lock();
  }
  ~MutexLock() CMPOST_THREAD_SAFETY(release_capability()) {
    if (is_held_) mutex_.unlock();
  }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  // In between, in turns.
  void unlock() CMPOST_THREAD_SAFETY(release_capability()) {
    is_held_ = false;
    mutex_.unlock();
  }
  void lock() CMPOST_THREAD_SAFETY(acquire_capability()) {
    mutex_.lock();
    is_held_ = true;
  }

 private:
  Mutex& mutex_;
  bool is_held_ = true;
};

}  // namespace cmpost
