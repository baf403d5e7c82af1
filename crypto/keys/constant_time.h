// Choices that take the same time whatever they are about; for this folder only.
#pragma once

#include "base/bytes.h"

namespace cmpost {

// What the compiler knows nothing about, so that it makes no branch of it.
inline std::uint32_t opaque(std::uint32_t value) {
  __asm__("" : "+r"(value));
  return value;
}

// All bits set for yes, none for no.
using Mask = std::uint32_t;
inline Mask mask_of_zero(std::uint32_t value) {
  return Mask{0} - static_cast<Mask>((std::uint64_t{opaque(value)} - 1) >> 63U);
}
inline Mask mask_of_equal(std::uint32_t a, std::uint32_t b) { return mask_of_zero(a ^ b); }
// For values below 2^31.
inline Mask mask_of_less(std::uint32_t a, std::uint32_t b) {
  return Mask{0} - ((opaque(a) - b) >> 31U);
}
inline std::uint32_t chosen(Mask mask, std::uint32_t yes, std::uint32_t no) {
  return (opaque(mask) & yes) | (~opaque(mask) & no);
}
// `target` becomes `other`, of the same size, for yes.
inline void choose(Mask mask, Bytes& target, ByteView other) {
  for (std::size_t i = 0; i < target.size(); ++i) {
    target[i] = static_cast<std::uint8_t>(chosen(mask, other[i], target[i]));
  }
}

}  // namespace cmpost
