#include "watcher/reluctant_inputs.h"

#include <gmock/gmock.h>

namespace cmpost {
namespace {

using namespace std::chrono_literals;

TEST(ReluctantInputs, IsLeftOutAfterThreeTriesAndTriedAgainMuchLater) {
  ReluctantInputs inputs;
  Time now{};
  EXPECT_FALSE(inputs.failed("a", "it breaks", now));
  EXPECT_FALSE(inputs.failed("a", "it breaks", now));
  EXPECT_FALSE(inputs.rests("a", now));
  EXPECT_EQ(inputs.left_out(), 0U);
  EXPECT_TRUE(inputs.failed("a", "it breaks", now));
  EXPECT_TRUE(inputs.rests("a", now));
  EXPECT_EQ(inputs.left_out(), 1U);
  EXPECT_EQ(inputs.stuck(now + 1min), (std::vector<StuckInput>{{"a", "it breaks", 3, 9min}}));
  now += 10min;
  EXPECT_FALSE(inputs.rests("a", now));
  EXPECT_FALSE(inputs.failed("a", "it breaks", now)) << "it is told once";
  EXPECT_TRUE(inputs.rests("a", now + 19min));
  EXPECT_FALSE(inputs.rests("a", now + 20min));
  for (int i = 0; i < 100; ++i) inputs.failed("a", "it breaks", now);
  EXPECT_FALSE(inputs.rests("a", now + 24h)) << "once a day at least";
}

TEST(ReluctantInputs, WhatHasComeOrIsGoneIsForgotten) {
  ReluctantInputs inputs;
  const Time now{};
  for (int i = 0; i < 3; ++i) inputs.failed("a", "it breaks", now);
  inputs.failed("b", "it breaks", now);
  EXPECT_TRUE(inputs.came("a"));
  EXPECT_FALSE(inputs.came("a"));
  EXPECT_FALSE(inputs.came("b")) << "nobody was told";
  inputs.failed("c", "it breaks", now);
  inputs.keep_only({"d"});
  EXPECT_TRUE(inputs.empty());
}

}  // namespace
}  // namespace cmpost
