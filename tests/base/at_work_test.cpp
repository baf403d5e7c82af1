#include "base/at_work.h"

#include <gmock/gmock.h>

#include <thread>

namespace cmpost {
namespace {

TEST(AtWork, IsOnTheListAsLongAsItLives) {
  EXPECT_EQ(AtWork::list(), "");
  {
    const AtWork one("one");
    std::jthread([] {
      const AtWork same("one"), other("another");
      EXPECT_EQ(AtWork::list(), "one, one, another");
    }).join();
    EXPECT_EQ(AtWork::list(), "one");
  }
  EXPECT_EQ(AtWork::list(), "");
}

}  // namespace
}  // namespace cmpost
