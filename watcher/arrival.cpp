#include "watcher/arrival.h"

namespace cmpost {

std::array<std::uint8_t, 16> arrival_of(const Look& look) {
  std::array<std::uint8_t, 16> octets;
  const auto put = [&](std::size_t at, std::uint64_t value) {
    for (std::size_t i = 0; i < 8; ++i) {
      octets[at + i] = static_cast<std::uint8_t>(value >> (56 - 8 * i));
    }
  };
  put(0, look.inode);
  put(8, static_cast<std::uint64_t>(look.mtime_nanos));
  return octets;
}

}  // namespace cmpost
