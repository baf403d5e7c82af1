#include "config/text/cron.h"

#include <array>
#include <charconv>
#include <ctime>
#include <vector>

#include "base/bytes.h"

namespace cmpost {
namespace {

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = text.find_first_of(separators);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<unsigned> number(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

struct Field {
  const char* name;
  unsigned first, last;
};

Error wrong(const Field& field, std::string_view text) {
  return {Recovery::hold, "'" + printable(text, 40) + "' is not a " + field.name,
          std::to_string(field.first) + " to " + std::to_string(field.last) +
              ", *, a-b or */n, separated by commas"};
}

// One of the comma-separated parts: "*", "5", "1-5", "*/10", "1-30/2".
template <std::size_t N>
Result<void> add_part(const Field& field, std::string_view text, std::bitset<N>& bits) {
  const auto slash = split(text, "/");
  const auto step = slash.size() == 1 ? 1U : number(slash[1]).value_or(0);
  if (slash.size() > 2 || step == 0) return failure(wrong(field, text));
  unsigned first = field.first, last = field.last;
  if (slash[0] != "*") {
    const auto ends = split(slash[0], "-");
    const auto from = number(ends[0]), to = number(ends.back());
    if (ends.size() > 2 || !from || !to) return failure(wrong(field, text));
    if (ends.size() == 1 && slash.size() == 2) return failure(wrong(field, text));
    first = *from, last = *to;
  }
  if (first < field.first || last > field.last || first > last) return failure(wrong(field, text));
  for (auto value = first; value <= last; value += step) bits.set(value % N);
  return {};
}

template <std::size_t N>
Result<std::bitset<N>> parse_field(const Field& field, std::string_view text) {
  std::bitset<N> bits;
  for (const auto part : split(text, ",")) TRY(add_part(field, part, bits));
  return bits;
}

// Carries an overflow in `local` over and returns its time. Where the clocks are changed a local
// time may exist twice or not at all and mktime() may lead back; then it is a minute after
// `previous` instead, so that the search always moves on.
std::time_t settle(std::tm& local, std::time_t previous) {
  local.tm_isdst = -1;
  std::time_t seconds = std::mktime(&local);
  if (seconds > previous) return seconds;
  seconds = previous - previous % 60 + 60;
  ::localtime_r(&seconds, &local);
  return seconds;
}

// The wall clock as a number, on which every day has 24 hours.
std::time_t wall_of(std::tm local) { return ::timegm(&local); }

}  // namespace

Result<CronTime> CronTime::parse(std::string_view text) {
  std::vector<std::string_view> fields;
  for (const auto field : split(text, " \t")) {
    if (!field.empty()) fields.push_back(field);
  }
  if (fields.size() != 5) {
    return hold("'" + printable(text, 40) + "' has not five fields",
                "minute hour day-of-month month day-of-week, such as \"0 1 * * *\"");
  }
  CronTime time;
  time.text_ = text;
  ASSIGN_OR_RETURN(time.minutes_, parse_field<60>({"minute", 0, 59}, fields[0]));
  ASSIGN_OR_RETURN(time.hours_, parse_field<24>({"hour", 0, 23}, fields[1]));
  ASSIGN_OR_RETURN(time.days_, parse_field<32>({"day of the month", 1, 31}, fields[2]));
  ASSIGN_OR_RETURN(time.months_, parse_field<13>({"month", 1, 12}, fields[3]));
  ASSIGN_OR_RETURN(time.weekdays_, parse_field<7>({"day of the week", 0, 7}, fields[4]));
  time.any_day_ = fields[2].front() == '*';
  time.any_weekday_ = fields[4].front() == '*';
  if (!time.has_a_day()) {
    return hold("'" + printable(text, 40) + "' names a day that no year has",
                "no month that it names is so long");
  }
  return time;
}

bool CronTime::has_a_day() const {
  constexpr std::array<std::size_t, 13> kLongest = {0,  31, 29, 31, 30, 31, 30,
                                                    31, 31, 30, 31, 30, 31};
  if (!any_day_ && !any_weekday_) return true;
  for (std::size_t month = 1; month < kLongest.size(); ++month) {
    for (std::size_t day = 1; months_.test(month) && day <= kLongest[month]; ++day) {
      if (days_.test(day)) return true;
    }
  }
  return false;
}

bool CronTime::matches(const std::tm& local) const {
  return months_.test(static_cast<std::size_t>(local.tm_mon) + 1) &&
         day_matches(local.tm_mday, local.tm_wday) &&
         hours_.test(static_cast<std::size_t>(local.tm_hour)) &&
         minutes_.test(static_cast<std::size_t>(local.tm_min));
}

// Where the clocks are put forward: whether one of the minutes that do not exist was meant.
bool CronTime::matches_between(std::time_t wanted, std::time_t existing) const {
  for (auto wall = wanted; wall < existing; wall += 60) {
    std::tm skipped{};
    ::gmtime_r(&wall, &skipped);
    if (matches(skipped)) return true;
  }
  return false;
}

bool CronTime::day_matches(int day, int weekday) const {
  const bool by_day = days_.test(static_cast<std::size_t>(day));
  const bool by_weekday = weekdays_.test(static_cast<std::size_t>(weekday));
  return any_day_ || any_weekday_ ? by_day && by_weekday : by_day || by_weekday;
}

std::optional<Time> CronTime::next(Time after) const {
  std::time_t seconds = std::chrono::floor<std::chrono::seconds>(after).time_since_epoch().count();
  std::tm local{};
  ::localtime_r(&seconds, &local);
  const int last_year = local.tm_year + 4;
  local.tm_sec = 0;
  ++local.tm_min;
  while (local.tm_year <= last_year) {
    const auto wanted = wall_of(local);
    seconds = settle(local, seconds);
    if (matches_between(wanted, wall_of(local))) return Time(std::chrono::seconds(seconds));
    if (!months_.test(static_cast<std::size_t>(local.tm_mon) + 1)) {
      ++local.tm_mon, local.tm_mday = 1, local.tm_hour = local.tm_min = 0;
    } else if (!day_matches(local.tm_mday, local.tm_wday)) {
      ++local.tm_mday, local.tm_hour = local.tm_min = 0;
    } else if (!hours_.test(static_cast<std::size_t>(local.tm_hour))) {
      ++local.tm_hour, local.tm_min = 0;
    } else if (!minutes_.test(static_cast<std::size_t>(local.tm_min))) {
      ++local.tm_min;
    } else {
      return Time(std::chrono::seconds(seconds));
    }
  }
  return std::nullopt;
}

}  // namespace cmpost
