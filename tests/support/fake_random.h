// Numbers that look random and are the same in every run.
#pragma once

#include <mutex>
#include <random>

#include "base/random.h"

namespace cmpost {

class FakeRandom final : public Random {
 public:
  explicit FakeRandom(std::uint64_t seed = 1) : engine_(seed) {}
  void fill(std::span<std::uint8_t> target) override {
    const std::lock_guard lock(mutex_);
    for (auto& octet : target) octet = static_cast<std::uint8_t>(engine_());
  }

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;
};

}  // namespace cmpost
