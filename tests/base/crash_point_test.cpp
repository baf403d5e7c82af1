#include "base/crash_point.h"

#include <gmock/gmock.h>

#include "tests/support/crash_child.h"

namespace cmpost {
namespace {

TEST(CrashPoint, DISABLED_ReachesThree) {
  crash_point("one");
  crash_point("two");
  crash_point("one");
}

TEST(CrashPoint, WithoutAPlanNothingHappens) { crash_point("one"); }

TEST(CrashPoint, TheProcessDiesAtTheStepThatWasAskedFor) {
  for (int step = 1; step <= 3; ++step) {
    EXPECT_TRUE(crashes_at("CrashPoint.DISABLED_ReachesThree", "", step)) << step;
  }
  EXPECT_FALSE(crashes_at("CrashPoint.DISABLED_ReachesThree", "", 4));
}

TEST(CrashPoint, StepsMayBeCountedByName) {
  EXPECT_TRUE(crashes_at("CrashPoint.DISABLED_ReachesThree", "", "one:2"));
  EXPECT_FALSE(crashes_at("CrashPoint.DISABLED_ReachesThree", "", "two:2"));
}

}  // namespace
}  // namespace cmpost
