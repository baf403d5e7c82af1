#include "carrier/number_ranges.h"

#include <algorithm>

namespace cmpost {
namespace {

constexpr std::size_t kMostParts = 10'000;
constexpr std::size_t kMostDigits = 10;

std::optional<std::uint64_t> number_of(std::string_view text) {
  if (text.empty() || text.size() > kMostDigits) return std::nullopt;
  std::uint64_t number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return number == 0 ? std::nullopt : std::optional(number);
}

std::optional<NumberRange> range_of(std::string_view text) {
  const auto dash = text.find('-');
  const auto first = number_of(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : number_of(text.substr(dash + 1));
  if (!first || !last || *first > *last) return std::nullopt;
  return NumberRange{*first, *last};
}

}  // namespace

std::string to_string(const NumberRange& range) {
  const auto first = std::to_string(range.first);
  return range.first == range.last ? first : first + "-" + std::to_string(range.last);
}

std::optional<NumberRanges> NumberRanges::parse(std::string_view text) {
  NumberRanges ranges;
  if (text.empty()) return ranges;
  for (std::size_t parts = 0; parts < kMostParts; ++parts) {
    const auto comma = text.find(',');
    const auto range = range_of(text.substr(0, comma));
    if (!range) return std::nullopt;
    ranges.add(*range);
    if (comma == std::string_view::npos) return ranges;
    text.remove_prefix(comma + 1);
  }
  return std::nullopt;
}

void NumberRanges::add(NumberRange range) {
  // Takes in every part that overlaps or touches the new one.
  auto at = ranges_.upper_bound(range.first);
  if (at != ranges_.begin() && std::prev(at)->second + 1 >= range.first) --at;
  while (at != ranges_.end() && at->first <= range.last + 1) {
    range.first = std::min(range.first, at->first);
    range.last = std::max(range.last, at->second);
    at = ranges_.erase(at);
  }
  ranges_[range.first] = range.last;
}

bool NumberRanges::contains(std::uint64_t number) const {
  const auto after = ranges_.upper_bound(number);
  return after != ranges_.begin() && std::prev(after)->second >= number;
}

std::vector<NumberRange> NumberRanges::parts() const {
  std::vector<NumberRange> result;
  for (const auto& [first, last] : ranges_) result.push_back({first, last});
  return result;
}

std::vector<NumberRange> NumberRanges::gaps() const {
  std::vector<NumberRange> result;
  std::uint64_t next = 1;
  for (const auto& [first, last] : ranges_) {
    if (first > next) result.push_back({next, first - 1});
    next = last + 1;
  }
  return result;
}

std::string NumberRanges::text() const {
  std::string text;
  for (const auto& [first, last] : ranges_) {
    text += (text.empty() ? "" : ",") + to_string(NumberRange{first, last});
  }
  return text;
}

}  // namespace cmpost
