#include "processor/devices/device.h"

namespace cmpost {
namespace {

constexpr std::size_t kDigits = 12, kLongDigits = 16;
constexpr std::string_view kMiddle = "FFFE";

bool is_separator(char c) { return c == ':' || c == '-' || c == '.' || c == ' '; }

}  // namespace

std::optional<std::string> mac_address(std::string_view text) {
  std::string digits;
  std::size_t group = 0;           // digits since the last separator
  std::optional<std::size_t> all;  // of the groups so far
  char separator = 0;
  const auto ends_group = [&] {
    const bool fits = group > 0 && group % 2 == 0 && (!all || *all == group);
    all = group;
    group = 0;
    return fits;
  };
  for (const char c : text) {
    if (is_separator(c)) {
      if (separator != 0 && c != separator) return std::nullopt;
      separator = c;
      if (!ends_group()) return std::nullopt;
      continue;
    }
    const char upper = c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
    const bool is_digit = (upper >= '0' && upper <= '9') || (upper >= 'A' && upper <= 'F');
    if (!is_digit || digits.size() == kLongDigits) return std::nullopt;
    digits += upper;
    ++group;
  }
  if (!ends_group()) return std::nullopt;
  if (digits.size() == kDigits) return digits;
  constexpr std::size_t kHalf = kDigits / 2;
  if (digits.size() != kLongDigits || digits.compare(kHalf, kMiddle.size(), kMiddle) != 0) {
    return std::nullopt;
  }
  return digits.erase(kHalf, kMiddle.size());
}

}  // namespace cmpost
