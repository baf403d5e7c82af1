// SHA-256 (FIPS 180-4), only to tell one job from another: this folder knows no cryptography.
#pragma once

#include <array>

#include "base/bytes.h"

namespace cmpost {

class Sha256 {
 public:
  void update(ByteView more);
  std::array<std::uint8_t, 32> finish();  // once, at the end

 private:
  void compress(const std::uint8_t* block);

  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::uint8_t, 64> pending_{};
  std::uint64_t length_ = 0;  // octets so far
};

}  // namespace cmpost
