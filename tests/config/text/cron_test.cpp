#include "config/text/cron.h"

#include <cstdlib>
#include <ctime>

#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;

class Cron : public ::testing::Test {
 protected:
  void SetUp() override { zone("UTC"); }
  void TearDown() override { zone("UTC"); }
  static void zone(const char* name) {
    ::setenv("TZ", name, 1);
    ::tzset();
  }
  static std::string next(std::string_view cron, std::string_view after) {
    const auto time = CronTime::parse(cron).value().next(from_iso8601(after).value());
    return time ? to_iso8601(*time) : "never";
  }
};

TEST_F(Cron, EveryNightComesTheNextNight) {
  EXPECT_EQ(next("0 1 * * *", "2026-01-31T00:59:59Z"), "2026-01-31T01:00:00Z");
  EXPECT_EQ(next("0 1 * * *", "2026-01-31T01:00:00Z"), "2026-02-01T01:00:00Z");
}

TEST_F(Cron, StepsRangesAndListsAreUnderstood) {
  EXPECT_EQ(next("*/15 8-18 * * 1-5", "2026-11-20T18:45:00Z"), "2026-11-23T08:00:00Z");
  EXPECT_EQ(next("5,35 * * * *", "2026-11-20T18:05:00Z"), "2026-11-20T18:35:00Z");
  EXPECT_EQ(next("10-30/10 0 1 */3 *", "2026-11-20T18:05:00Z"), "2027-01-01T00:10:00Z");
}

TEST_F(Cron, SundayIsZeroAndSeven) {
  EXPECT_EQ(next("0 0 * * 7", "2026-11-21T00:00:00Z"), "2026-11-22T00:00:00Z");
  EXPECT_EQ(next("0 0 * * 0", "2026-11-21T00:00:00Z"), "2026-11-22T00:00:00Z");
}

TEST_F(Cron, EitherRestrictedDayIsEnough) {
  EXPECT_EQ(next("0 0 13 * 5", "2026-11-21T00:00:00Z"), "2026-11-27T00:00:00Z");
  EXPECT_EQ(next("0 0 13 * 5", "2026-12-12T00:00:00Z"), "2026-12-13T00:00:00Z");
}

TEST_F(Cron, ADayThatNeverComesIsAMistake) {
  for (const auto* never : {"0 0 31 2 *", "0 0 30 2 *", "0 0 31 4,6,9,11 *"}) {
    EXPECT_THAT(CronTime::parse(never), Fails(HasSubstr("a day that no year has"))) << never;
  }
  EXPECT_EQ(next("0 0 29 2 *", "2026-11-21T00:00:00Z"), "2028-02-29T00:00:00Z");
  EXPECT_EQ(next("0 0 31 2 5", "2026-11-21T00:00:00Z"), "2027-02-05T00:00:00Z");
}

TEST_F(Cron, ATimeThatIsSkippedInSpringIsTheFirstMinuteAfterTheGap) {
  zone("Europe/Berlin");  // 02:00 to 02:59 do not exist on 2027-03-28: 01:00Z is 03:00
  EXPECT_EQ(next("30 2 * * *", "2027-03-27T02:00:00Z"), "2027-03-28T01:00:00Z");
  EXPECT_EQ(next("30 2 * * *", "2027-03-28T01:00:00Z"), "2027-03-29T00:30:00Z");
  EXPECT_EQ(next("*/10 2 * * *", "2027-03-28T00:59:00Z"), "2027-03-28T01:00:00Z");
  EXPECT_EQ(next("0 3 * * *", "2027-03-27T12:00:00Z"), "2027-03-28T01:00:00Z");
  EXPECT_EQ(next("30 1 * * *", "2027-03-27T12:00:00Z"), "2027-03-28T00:30:00Z");
  EXPECT_EQ(next("30 2 29 * *", "2027-03-27T12:00:00Z"), "2027-03-29T00:30:00Z");
  zone("America/Santiago");  // midnight does not exist on 2026-09-06
  EXPECT_EQ(next("0 0 * * *", "2026-09-05T12:00:00Z"), "2026-09-06T04:00:00Z");
}

TEST_F(Cron, TheHourThatIsRepeatedInAutumnMovesOn) {
  zone("Europe/Berlin");  // 02:30 exists twice on 2026-10-25: 00:30Z and 01:30Z
  EXPECT_EQ(next("30 3 * * *", "2026-10-25T00:45:00Z"), "2026-10-25T02:30:00Z");
  EXPECT_GT(next("30 2 * * *", "2026-10-25T01:45:00Z"), "2026-10-25T01:45:00Z");
  EXPECT_EQ(next("30 2 * * *", "2026-10-25T00:30:00Z"), "2026-10-26T01:30:00Z");
}

TEST_F(Cron, WhatIsNoTimeIsToldWhy) {
  EXPECT_THAT(CronTime::parse("0 1 * *"), Fails(HasSubstr("five fields")));
  EXPECT_THAT(CronTime::parse("60 1 * * *"), Fails(HasSubstr("minute")));
  EXPECT_THAT(CronTime::parse("0 24 * * *"), Fails(HasSubstr("hour")));
  EXPECT_THAT(CronTime::parse("0 1 0 * *"), Fails(HasSubstr("day of the month")));
  EXPECT_THAT(CronTime::parse("0 1 * 13 *"), Fails(HasSubstr("month")));
  EXPECT_THAT(CronTime::parse("0 1 * * 8"), Fails(HasSubstr("day of the week")));
  for (const auto* wrong : {"*/0 * * * *", "5/2 * * * *", "9-5 * * * *", "1-2-3 * * * *",
                            ", * * * *", "a * * * *", "-1 * * * *"}) {
    EXPECT_THAT(CronTime::parse(wrong), Fails(HasSubstr("minute"))) << wrong;
  }
}

}  // namespace
}  // namespace cmpost
