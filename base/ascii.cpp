#include "base/ascii.h"

#include <algorithm>

namespace cmpost {

std::string lower_ascii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = lower_ascii(c);
  return lower;
}

bool same_letters(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](char one, char other) { return lower_ascii(one) == lower_ascii(other); });
}

bool starts_with_letters(std::string_view text, std::string_view prefix) {
  return same_letters(text.substr(0, prefix.size()), prefix);
}

bool ends_with_letters(std::string_view text, std::string_view ending) {
  return text.size() >= ending.size() &&
         same_letters(text.substr(text.size() - ending.size()), ending);
}

}  // namespace cmpost
