#include "carrier/number_ranges.h"

#include <gmock/gmock.h>

namespace cmpost {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(NumberRanges, WhatTouchesBecomesOne) {
  NumberRanges ranges;
  for (const std::uint64_t number : {5, 1, 2, 4, 9}) ranges.add(number);
  EXPECT_EQ(ranges.text(), "1-2,4-5,9");
  ranges.add(3);
  EXPECT_EQ(ranges.text(), "1-5,9");
  ranges.add({2, 12});
  EXPECT_EQ(ranges.text(), "1-12");
  EXPECT_TRUE(ranges.contains(12));
  EXPECT_FALSE(ranges.contains(13));
}

TEST(NumberRanges, GapsAreCountedFromOne) {
  EXPECT_THAT(NumberRanges::parse("1-16")->gaps(), IsEmpty());
  EXPECT_THAT(NumberRanges::parse("3-16,18")->gaps(),
              ElementsAre(NumberRange{1, 2}, NumberRange{17, 17}));
  EXPECT_THAT(NumberRanges().gaps(), IsEmpty());
}

TEST(NumberRanges, OnlyWhatItWritesIsRead) {
  for (const auto* text : {"1", "1-2", "1-2,9", "", "9999999999"}) {
    const auto ranges = NumberRanges::parse(text);
    ASSERT_TRUE(ranges) << text;
    EXPECT_EQ(ranges->text(), text);
  }
  for (const auto* text : {"0", "2-1", "1,", ",", "a", "1-", "-1", "12345678901", "1 ", "1--2"}) {
    EXPECT_FALSE(NumberRanges::parse(text)) << text;
  }
}

}  // namespace
}  // namespace cmpost
