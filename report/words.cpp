#include "report/words.h"

#include <array>
#include <chrono>

namespace cmpost {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kWeekdays = {"Sun", "Mon", "Tue", "Wed",
                                                       "Thu", "Fri", "Sat"};

std::chrono::year_month_day date_of(Time time) {
  return std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(time));
}

std::string two_digits(std::int64_t number) {
  return (number < 10 ? "0" : "") + std::to_string(number);
}

std::string two_units(std::int64_t large, std::string_view large_unit, std::int64_t small,
                      std::string_view small_unit) {
  auto text = std::to_string(large) + " " + std::string(large_unit);
  if (small > 0) text += " " + std::to_string(small) + " " + std::string(small_unit);
  return text;
}

std::string rough_length(Duration time) {
  const auto hours =
      static_cast<std::uint64_t>(std::chrono::floor<std::chrono::hours>(time).count());
  if (hours == 0) return "less than an hour";
  if (hours < 48) return count_of(hours, "hour");
  const auto days = hours / 24;
  return days < 730 ? count_of(days, "day") : "more than " + count_of(days / 365, "year");
}

}  // namespace

std::string grouped(std::uint64_t number) {
  auto text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, " ");
  return text;
}

std::string count_of(std::uint64_t number, std::string_view noun) {
  return grouped(number) + " " + std::string(noun) + (number == 1 ? "" : "s");
}

std::string share_of(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return {};
  const auto tenths =
      static_cast<std::uint64_t>(static_cast<double>(part) * 1000 / static_cast<double>(whole));
  if (tenths == 0 && part > 0) return "under 0.1 %";
  if (tenths >= 1000 && part < whole) return "over 99.9 %";
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " %";
}

std::string day_of(Time time) {
  return std::to_string(static_cast<unsigned>(date_of(time).day())) + " " + month_of(time);
}

std::string weekday_of(Time time) {
  const std::chrono::weekday day(std::chrono::floor<std::chrono::days>(time));
  return std::string(kWeekdays[day.c_encoding()]);
}

std::string month_of(Time time) {
  const auto date = date_of(time);
  return std::string(kMonths[static_cast<unsigned>(date.month()) - 1]) + " " +
         std::to_string(static_cast<int>(date.year()));
}

std::string hour_of(Time time) {
  const auto minutes =
      std::chrono::floor<std::chrono::minutes>(time - std::chrono::floor<std::chrono::days>(time))
          .count();
  return two_digits(minutes / 60) + ":" + two_digits(minutes % 60);
}

std::string moment_of(Time time) {
  return weekday_of(time) + " " + day_of(time) + ", " + hour_of(time) + " UTC";
}

std::string length_of(Duration time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time).count();
  if (seconds <= 0) return time.count() > 0 ? "under 1 s" : "0 s";
  if (seconds < 60) return std::to_string(seconds) + " s";
  if (seconds < 3600) return two_units(seconds / 60, "min", seconds % 60, "s");
  if (seconds < 86400) return two_units(seconds / 3600, "h", seconds % 3600 / 60, "min");
  return two_units(seconds / 86400, "d", seconds % 86400 / 3600, "h");
}

std::string distance_of(Time time, Time now) {
  const auto length = rough_length(time > now ? time - now : now - time);
  return time > now ? "in " + length : length + " ago";
}

Time month_after(Time time, unsigned months) {
  const auto date = date_of(time);
  const auto month = date.year() / date.month() + std::chrono::months(months);
  return Time(std::chrono::sys_days(month / 1));
}

}  // namespace cmpost
