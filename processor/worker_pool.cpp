#include "processor/worker_pool.h"

#include <algorithm>

#include "base/start_thread.h"

namespace cmpost {
namespace {

constexpr std::size_t kMostTaken = 4;  // indices taken at a time

}  // namespace

Result<std::unique_ptr<WorkerPool>> WorkerPool::create(std::size_t workers) {
  std::unique_ptr<WorkerPool> pool(new WorkerPool);
  pool->size_ = std::max<std::size_t>(workers, 1);
  for (std::size_t i = 0; i < pool->size_; ++i) {
    ASSIGN_OR_RETURN(auto thread, start_thread([&pool = *pool, i](std::stop_token stop) {
                       pool.serve(std::move(stop), i);
                     }));
    pool->threads_.push_back(std::move(thread));
  }
  return pool;
}

WorkerPool::~WorkerPool() {
  for (auto& thread : threads_) thread.request_stop();
  threads_.clear();  // joins
}

void WorkerPool::run(std::size_t count, const std::function<void(std::size_t, std::size_t)>& work,
                     const std::function<void()>& meanwhile) {
  MutexLock lock(mutex_);
  work_ = &work;
  next_ = 0;
  count_ = count;
  changed_.notify_all();
  lock.unlock();
  meanwhile();
  lock.lock();
  while (next_ != count_ || running_ != 0) changed_.wait(lock);
  work_ = nullptr;
  count_ = next_ = 0;
}

void WorkerPool::serve(std::stop_token stop, std::size_t worker) {
  MutexLock lock(mutex_);
  while (changed_.wait(lock, stop, [&]() REQUIRES(mutex_) { return next_ < count_; })) {
    const auto first = next_;
    // Towards the end one by one, so that all end together, also where there are only a few.
    const auto share = (count_ - first) / (2 * size());
    const auto last = first + std::clamp<std::size_t>(share, 1, kMostTaken);
    const auto* work = work_;
    next_ = last;
    running_ += last - first;
    lock.unlock();
    for (auto i = first; i < last; ++i) (*work)(worker, i);
    lock.lock();
    running_ -= last - first;
    if (next_ == count_ && running_ == 0) changed_.notify_all();
  }
}

}  // namespace cmpost
