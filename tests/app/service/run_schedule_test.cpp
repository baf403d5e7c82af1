#include "app/service/run_schedule.h"

#include <gmock/gmock.h>

namespace cmpost {
namespace {

std::optional<Time> due(std::string_view cron, std::string_view last, std::string_view now) {
  return due_time(CronTime::parse(cron).value(), from_iso8601(last).value(),
                  from_iso8601(now).value());
}

TEST(DueTime, IsThatWhichIsOver) {
  EXPECT_EQ(due("*/10 * * * *", "2026-12-01T10:00:00Z", "2026-12-01T10:09:59Z"), std::nullopt);
  EXPECT_EQ(due("*/10 * * * *", "2026-12-01T10:00:00Z", "2026-12-01T10:10:00Z"),
            from_iso8601("2026-12-01T10:10:00Z"));
}

TEST(DueTime, OfSeveralMissedOnesIsTheNewest) {
  EXPECT_EQ(due("*/10 * * * *", "2026-12-01T10:00:00Z", "2026-12-01T12:34:00Z"),
            from_iso8601("2026-12-01T12:30:00Z"));
}

TEST(DueTime, IsNoneWhereTheClockWasSetBack) {
  EXPECT_EQ(due("*/10 * * * *", "2026-12-01T10:00:00Z", "2026-12-01T08:00:00Z"), std::nullopt);
}

}  // namespace
}  // namespace cmpost
