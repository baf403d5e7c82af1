// Words and characters of header fields.
#pragma once

#include <string>
#include <string_view>

namespace cmpost {

inline bool is_blank(char c) { return c == ' ' || c == '\t'; }
// VCHAR of RFC 5234: printable ASCII without the blank.
inline bool is_visible(char c) { return c > 0x20 && c < 0x7f; }
// `atext` of RFC 5322 3.2.3: what an atom consists of.
bool is_atext(char c);

// Without blanks and line ends at both ends.
std::string_view trimmed(std::string_view text);
// RFC 5322 2.2.3: a folded value as one line.
std::string unfolded(std::string_view value);

}  // namespace cmpost
