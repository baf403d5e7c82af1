// The five fields of a crontab line: minute hour day-of-month month day-of-week.
#pragma once

#include <bitset>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace cmpost {

// Each field: `*`, numbers, `a-b`, `a-b/n`, `*/n`, separated by commas. Sunday is 0 or 7. As in
// cron(8), when both days are restricted, either is enough.
class CronTime {
 public:
  static Result<CronTime> parse(std::string_view text);

  // The first minute after `after` that matches, in local time (TZ); nullopt when none of the next
  // four years does. A time that does not exist, where the clocks are put forward, is the first
  // minute after the gap; one that exists twice comes once.
  std::optional<Time> next(Time after) const;
  const std::string& text() const { return text_; }

 private:
  bool has_a_day() const;
  bool matches(const std::tm& local) const;
  bool matches_between(std::time_t wanted, std::time_t existing) const;
  bool day_matches(int day, int weekday) const;

  std::string text_;
  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;
  std::bitset<13> months_;
  std::bitset<7> weekdays_;
  bool any_day_ = true, any_weekday_ = true;
};

}  // namespace cmpost
