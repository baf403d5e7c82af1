#include "processor/worker_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>

namespace cmpost {
namespace {

using namespace std::chrono_literals;

TEST(WorkerPool, EachIndexIsWorkedOnOnce) {
  const auto pool = std::move(WorkerPool::create(3).value());
  for (const std::size_t count : {0, 1, 2, 7, 100, 1000}) {
    std::vector<std::atomic<int>> times(count);
    bool meanwhile = false;
    pool->run(
        count,
        [&](std::size_t worker, std::size_t i) {
          EXPECT_LT(worker, pool->size());
          ++times[i];
        },
        [&] { meanwhile = true; });
    EXPECT_TRUE(meanwhile);
    for (const auto& one : times) EXPECT_EQ(one, 1);
  }
}

// Each waits for the others.
TEST(WorkerPool, FewAreSharedAmongAll) {
  constexpr std::size_t kWorkers = 4;
  const auto pool = std::move(WorkerPool::create(kWorkers).value());
  std::atomic<std::size_t> begun = 0;
  pool->run(
      kWorkers,
      [&](std::size_t, std::size_t) {
        ++begun;
        const auto end = std::chrono::steady_clock::now() + 10s;
        while (begun < kWorkers && std::chrono::steady_clock::now() < end) {
          std::this_thread::sleep_for(1ms);
        }
        EXPECT_EQ(begun, kWorkers);
      },
      [] {});
}

TEST(WorkerPool, NoWorkersAreOne) {
  const auto pool = std::move(WorkerPool::create(0).value());
  EXPECT_EQ(pool->size(), 1U);
  std::size_t sum = 0;
  pool->run(
      5, [&](std::size_t, std::size_t i) { sum += i; }, [] {});
  EXPECT_EQ(sum, 10U);
}

}  // namespace
}  // namespace cmpost
