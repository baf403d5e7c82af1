#include "config/text/units.h"

#include <array>
#include <charconv>

#include "base/bytes.h"

namespace cmpost {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

// Largest first, for spelling.
constexpr std::array<Unit, 6> kDurations = {{{"w", 604'800'000'000},
                                             {"d", 86'400'000'000},
                                             {"h", 3'600'000'000},
                                             {"m", 60'000'000},
                                             {"s", 1'000'000},
                                             {"ms", 1'000}}};
constexpr std::int64_t kLongestDuration = 36'525LL * 86'400'000'000;
constexpr auto kDurationHint =
    "a whole number and one of ms s m h d w, such as \"10s\" or \"398d\"";

constexpr std::array<Unit, 4> kSizes = {
    {{"GiB", 1LL << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}};
constexpr std::int64_t kLargestSize = 1LL << 40;
constexpr auto kSizeHint = "a whole number and one of B KiB MiB GiB, such as \"64KiB\"";

template <std::size_t N>
Result<std::int64_t> parse(std::string_view text, const std::array<Unit, N>& units,
                           std::int64_t largest, const char* hint) {
  const auto wrong = [&](const std::string& what) {
    return hold("'" + printable(text, 40) + "' " + what, hint);
  };
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error == std::errc::result_out_of_range) return wrong("is too large");
  if (error != std::errc() || count < 0) return wrong("does not start with a number");
  const std::string_view name(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (name.empty() && count == 0) return 0;
  if (name.empty()) return wrong("has no unit");
  for (const auto& unit : units) {
    if (unit.name != name) continue;
    if (count > largest / unit.factor) return wrong("is too large");
    return count * unit.factor;
  }
  return wrong("has an unknown unit");
}

template <std::size_t N>
std::string spell(std::int64_t value, const std::array<Unit, N>& units) {
  if (value == 0) return "0";
  for (const auto& unit : units) {
    if (value % unit.factor == 0) {
      return std::to_string(value / unit.factor) + std::string(unit.name);
    }
  }
  return std::to_string(value / units.back().factor) + std::string(units.back().name);
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  ASSIGN_OR_RETURN(const auto micros, parse(text, kDurations, kLongestDuration, kDurationHint));
  return Duration(micros);
}

Result<std::size_t> parse_size(std::string_view text) {
  ASSIGN_OR_RETURN(const auto octets, parse(text, kSizes, kLargestSize, kSizeHint));
  return static_cast<std::size_t>(octets);
}

Result<double> parse_percentage(std::string_view text) {
  constexpr auto kHint = "0 to 100 and a percent sign, such as \"2%\"";
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  const bool whole = end == text.data() + text.size() - 1 && *end == '%';
  if (error != std::errc() || !whole || !(value >= 0 && value <= 100)) {
    return hold("'" + printable(text, 40) + "' is not a percentage", kHint);
  }
  return value;
}

std::string spell_duration(Duration duration) { return spell(duration.count(), kDurations); }
std::string spell_size(std::size_t octets) {
  return spell(static_cast<std::int64_t>(octets), kSizes);
}

}  // namespace cmpost
