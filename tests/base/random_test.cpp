#include "base/random.h"

#include <gmock/gmock.h>

namespace cmpost {
namespace {

TEST(SystemRandom, GivesWhatWasAskedForAndNotTheSameTwice) {
  SystemRandom random;
  EXPECT_EQ(random.bytes(32).size(), 32U);
  EXPECT_NE(random.bytes(32), random.bytes(32));
  EXPECT_TRUE(random.bytes(0).empty());
}

TEST(SystemRandom, FillsAllOfALargeTarget) {
  const auto bytes = SystemRandom().bytes(100'000);
  for (std::size_t at = 0; at + 32 <= bytes.size(); at += 1000) {
    EXPECT_NE(Bytes(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                    bytes.begin() + static_cast<std::ptrdiff_t>(at + 32)),
              Bytes(32, 0));
  }
}

}  // namespace
}  // namespace cmpost
