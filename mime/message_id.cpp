#include "mime/message_id.h"

#include <algorithm>

#include "mime/text.h"

namespace cmpost {

namespace {

constexpr std::size_t kLongestMessageId = 250;

bool in_message_id(char c) {
  return is_visible(c) && std::string_view("<>()\"\\,;").find(c) == std::string_view::npos;
}

}  // namespace

bool is_message_id(std::string_view text) {
  if (text.size() < 5 || text.size() > kLongestMessageId) return false;
  if (text.front() != '<' || text.back() != '>') return false;
  const auto inside = text.substr(1, text.size() - 2);
  const auto at = inside.find('@');
  if (at == 0 || at == inside.npos || at + 1 == inside.size()) return false;
  return inside.find('@', at + 1) == inside.npos && std::ranges::all_of(inside, in_message_id);
}

std::vector<std::string> read_message_ids(std::string_view field_value, std::size_t most) {
  std::vector<std::string> ids;
  while (true) {
    const auto start = field_value.find('<');
    if (start == field_value.npos) break;
    field_value.remove_prefix(start);
    const auto end = field_value.find('>');
    if (end == field_value.npos) break;
    const auto id = field_value.substr(0, end + 1);
    if (is_message_id(id)) ids.emplace_back(id);
    field_value.remove_prefix(end + 1);
  }
  if (ids.size() > most) ids.erase(ids.begin(), ids.end() - static_cast<std::ptrdiff_t>(most));
  return ids;
}

}  // namespace cmpost
