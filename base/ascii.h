// Letters as protocols know them: those of ASCII, whatever the locale says.
#pragma once

#include <string>
#include <string_view>

namespace cmpost {

constexpr char lower_ascii(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
std::string lower_ascii(std::string_view text);

// Without regard to case.
bool same_letters(std::string_view a, std::string_view b);
bool starts_with_letters(std::string_view text, std::string_view prefix);
bool ends_with_letters(std::string_view text, std::string_view ending);

}  // namespace cmpost
