// Numbers that look random and are the same in every run.
#pragma once

#include <random>

#include "base/mutex.h"
#include "base/random.h"

namespace cmpost {

class FakeRandom final : public Random {
 public:
  explicit FakeRandom(std::uint64_t seed = 1) : engine_(seed) {}
  void fill(std::span<std::uint8_t> target) override {
    const MutexLock lock(mutex_);
    for (auto& octet : target) octet = static_cast<std::uint8_t>(engine_());
  }

 private:
  Mutex mutex_;
  std::mt19937_64 engine_ GUARDED_BY(mutex_);
};

}  // namespace cmpost
