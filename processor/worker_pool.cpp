#include "processor/worker_pool.h"

#include <algorithm>

namespace cmpost {
namespace {

constexpr std::size_t kMostTaken = 4;  // indices taken at a time

}  // namespace

WorkerPool::WorkerPool(std::size_t workers) {
  for (std::size_t i = 0; i < std::max<std::size_t>(workers, 1); ++i) {
    threads_.emplace_back([this, i](std::stop_token stop) { serve(std::move(stop), i); });
  }
}

WorkerPool::~WorkerPool() {
  for (auto& thread : threads_) thread.request_stop();
  threads_.clear();  // joins
}

void WorkerPool::run(std::size_t count, const std::function<void(std::size_t, std::size_t)>& work,
                     const std::function<void()>& meanwhile) {
  std::unique_lock lock(mutex_);
  work_ = &work;
  next_ = 0;
  count_ = count;
  changed_.notify_all();
  lock.unlock();
  meanwhile();
  lock.lock();
  changed_.wait(lock, [&] { return next_ == count_ && running_ == 0; });
  work_ = nullptr;
  count_ = next_ = 0;
}

void WorkerPool::serve(std::stop_token stop, std::size_t worker) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [&] { return next_ < count_; })) {
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
