#include "config/text/units.h"

#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

TEST(Units, DurationsHaveWholeNumbersAndAUnit) {
  EXPECT_EQ(parse_duration("250ms").value(), 250ms);
  EXPECT_EQ(parse_duration("10s").value(), 10s);
  EXPECT_EQ(parse_duration("15m").value(), 15min);
  EXPECT_EQ(parse_duration("1h").value(), 1h);
  EXPECT_EQ(parse_duration("398d").value(), 398 * 24h);
  EXPECT_EQ(parse_duration("2w").value(), 14 * 24h);
  EXPECT_EQ(parse_duration("0").value(), 0s);
}

TEST(Units, WhatIsNoDurationIsToldWhy) {
  EXPECT_THAT(parse_duration("10"), Fails(HasSubstr("no unit")));
  EXPECT_THAT(parse_duration("10 s"), Fails(HasSubstr("unknown unit")));
  EXPECT_THAT(parse_duration("10S"), Fails(HasSubstr("unknown unit")));
  EXPECT_THAT(parse_duration("1.5h"), Fails(HasSubstr("unknown unit")));
  EXPECT_THAT(parse_duration("-1s"), Fails(HasSubstr("number")));
  EXPECT_THAT(parse_duration(""), Fails(HasSubstr("number")));
  EXPECT_THAT(parse_duration("99999999999999999999d"), Fails(HasSubstr("too large")));
  EXPECT_THAT(parse_duration("9223372036854775807w"), Fails(HasSubstr("too large")));
  EXPECT_THAT(parse_duration("36526d"), Fails(HasSubstr("too large")));
}

TEST(Units, SizesAreInPowersOfTwo) {
  EXPECT_EQ(parse_size("100B").value(), 100U);
  EXPECT_EQ(parse_size("64KiB").value(), 65536U);
  EXPECT_EQ(parse_size("1MiB").value(), 1048576U);
  EXPECT_THAT(parse_size("1MB"), Fails(HasSubstr("unknown unit")));
  EXPECT_THAT(parse_size("2048GiB"), Fails(HasSubstr("too large")));
}

TEST(Units, PercentagesLieBetweenNothingAndAll) {
  EXPECT_DOUBLE_EQ(parse_percentage("2%").value(), 2.0);
  EXPECT_DOUBLE_EQ(parse_percentage("0.5%").value(), 0.5);
  for (const auto* wrong : {"2", "%", "", "101%", "-1%", "2%%", "nan%", "1e1%"}) {
    EXPECT_THAT(parse_percentage(wrong), Fails(HasSubstr("not a percentage"))) << wrong;
  }
}

TEST(Units, SpellingIsReadBackAsTheSameValue) {
  EXPECT_EQ(spell_duration(14 * 24h), "2w");
  EXPECT_EQ(spell_duration(90s), "90s");
  EXPECT_EQ(spell_duration(0s), "0");
  EXPECT_EQ(spell_size(65536), "64KiB");
  EXPECT_EQ(spell_size(1000), "1000B");
}

}  // namespace
}  // namespace cmpost
