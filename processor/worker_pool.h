// Threads that share one batch of work after the other.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"

namespace cmpost {

// One batch at a time; run() may be called from one thread only.
class WorkerPool {
 public:
  // An Error where the system has no more threads.
  static Result<std::unique_ptr<WorkerPool>> create(std::size_t workers);
  ~WorkerPool();

  std::size_t size() const { return size_; }
  // Calls work(worker, index) for each index below `count`, spread over the workers (numbered from
  // 0), and returns when all calls have. The calling thread does `meanwhile` in between.
  void run(std::size_t count, const std::function<void(std::size_t, std::size_t)>& work,
           const std::function<void()>& meanwhile);

 private:
  WorkerPool() = default;
  void serve(std::stop_token stop, std::size_t worker);

  Mutex mutex_;
  std::condition_variable_any changed_;
  const std::function<void(std::size_t, std::size_t)>* work_ GUARDED_BY(mutex_) = nullptr;
  std::size_t next_ GUARDED_BY(mutex_) = 0;  // the first index that nobody has taken
  std::size_t count_ GUARDED_BY(mutex_) = 0;
  std::size_t running_ GUARDED_BY(mutex_) = 0;  // indices taken and not done
  std::size_t size_ = 0;                        // before there are threads
  std::vector<std::jthread> threads_;
};

}  // namespace cmpost
