// Chance, handed in so that a test can choose it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace cmpost {

// All members may be called from any thread.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::uint8_t> target) = 0;

  Bytes bytes(std::size_t count);
};

// The kernel's cryptographically secure generator (getrandom). It cannot fail: a kernel without
// it ends the process.
class SystemRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> target) override;
};

}  // namespace cmpost
