#include "mime/text.h"

#include <algorithm>

#include "base/ascii.h"

namespace cmpost {

namespace {

bool is_space(char c) { return is_blank(c) || c == '\r' || c == '\n'; }

}  // namespace

bool is_atext(char c) {
  if ((c >= '0' && c <= '9') || (lower_ascii(c) >= 'a' && lower_ascii(c) <= 'z')) return true;
  return c != '\0' && std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::string unfolded(std::string_view value) {
  std::string line;
  line.reserve(value.size());
  for (const char c : trimmed(value)) {
    if (c != '\r' && c != '\n') line.push_back(c);
  }
  return line;
}

}  // namespace cmpost
