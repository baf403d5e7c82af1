// Sets of numbers as people write them: "1-16,18".
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cmpost {

// From `first` to `last`, both included.
struct NumberRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  friend bool operator==(const NumberRange&, const NumberRange&) = default;
};

// "17", "17-19".
std::string to_string(const NumberRange& range);

// Memory grows with the number of gaps, not with the numbers.
class NumberRanges {
 public:
  // "1-16,18", ascending or not, overlapping or not; nullopt when it is anything else, names 0 or a
  // number of more than ten digits, or has more than 10 000 parts. "" is the empty set.
  static std::optional<NumberRanges> parse(std::string_view text);

  void add(NumberRange range);
  void add(std::uint64_t number) { add({number, number}); }
  bool contains(std::uint64_t number) const;
  bool empty() const { return ranges_.empty(); }
  std::uint64_t last() const { return ranges_.empty() ? 0 : ranges_.rbegin()->second; }
  std::vector<NumberRange> parts() const;
  // What is not in the set, from 1 up to last().
  std::vector<NumberRange> gaps() const;
  std::string text() const;
  friend bool operator==(const NumberRanges&, const NumberRanges&) = default;

 private:
  std::map<std::uint64_t, std::uint64_t> ranges_;  // first -> last; neither touch nor overlap
};

}  // namespace cmpost
