#include "base/random.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>

#include "base/result.h"

namespace cmpost {

Bytes Random::bytes(std::size_t count) {
  Bytes result(count);
  fill(result);
  return result;
}

void SystemRandom::fill(std::span<std::uint8_t> target) {
  while (!target.empty()) {
    const auto got = ::getrandom(target.data(), std::min<std::size_t>(target.size(), 256), 0);
    CHECK(got > 0 || errno == EINTR);
    if (got > 0) target = target.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace cmpost
