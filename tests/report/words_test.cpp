#include "report/words.h"

#include <gtest/gtest.h>

#include "tests/report/sample_run.h"

namespace cmpost {
namespace {

TEST(Words, NumbersStandInGroups) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(11986), "11 986");
  EXPECT_EQ(grouped(1234567), "1 234 567");
  EXPECT_EQ(count_of(1, "request"), "1 request");
  EXPECT_EQ(count_of(12000, "request"), "12 000 requests");
}

TEST(Words, AShareNeverHidesWhatThereIs) {
  EXPECT_EQ(share_of(1, 0), "");
  EXPECT_EQ(share_of(0, 9), "0.0 %");
  EXPECT_EQ(share_of(1, 12000), "under 0.1 %");
  EXPECT_EQ(share_of(1, 8), "12.5 %");
  EXPECT_EQ(share_of(11999, 12000), "99.9 %");
  EXPECT_EQ(share_of(9, 9), "100.0 %");
  EXPECT_EQ(share_of(UINT64_MAX, UINT64_MAX), "100.0 %");
}

TEST(Words, TimesAreReadable) {
  const auto time = at_time("2026-11-21T03:05:59Z");
  EXPECT_EQ(day_of(time), "21 Nov 2026");
  EXPECT_EQ(weekday_of(time), "Sat");
  EXPECT_EQ(hour_of(time), "03:05");
  EXPECT_EQ(moment_of(time), "Sat 21 Nov 2026, 03:05 UTC");
  EXPECT_EQ(month_of(month_after(time, 0)), "Nov 2026");
  EXPECT_EQ(month_of(month_after(time, 2)), "Jan 2027");
}

TEST(Words, LengthsHaveTwoUnits) {
  using std::chrono::hours, std::chrono::minutes, std::chrono::seconds;
  EXPECT_EQ(length_of(seconds(-3)), "0 s");
  EXPECT_EQ(length_of(std::chrono::milliseconds(20)), "under 1 s");
  EXPECT_EQ(length_of(seconds(59)), "59 s");
  EXPECT_EQ(length_of(seconds(61)), "1 min 1 s");
  EXPECT_EQ(length_of(hours(2) + minutes(15) + seconds(30)), "2 h 15 min");
  EXPECT_EQ(length_of(hours(24)), "1 d");
  EXPECT_EQ(length_of(hours(49)), "2 d 1 h");
}

TEST(Words, ADistanceIsCountedFromNow) {
  using std::chrono::hours, std::chrono::minutes;
  const auto now = at_time("2026-11-21T03:00:00Z");
  EXPECT_EQ(distance_of(now + hours(49), now), "in 2 days");
  EXPECT_EQ(distance_of(now + hours(47), now), "in 47 hours");
  EXPECT_EQ(distance_of(now + hours(1), now), "in 1 hour");
  EXPECT_EQ(distance_of(now + minutes(59), now), "in less than an hour");
  EXPECT_EQ(distance_of(now + hours(24) * 729, now), "in 729 days");
  EXPECT_EQ(distance_of(now + hours(24) * 1652, now), "in more than 4 years");
  EXPECT_EQ(distance_of(now, now), "less than an hour ago");
  EXPECT_EQ(distance_of(now - hours(49), now), "2 days ago");
}

}  // namespace
}  // namespace cmpost
