// From the character sets that mails name to UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace cmpost {

// What `octets` say in UTF-8, for people: what is not known or not well-formed becomes U+FFFD,
// control characters become blanks (a line break in a decoded value must not start a new line
// anywhere). Knows UTF-8, ASCII, ISO-8859-1 and what is close to it.
std::string to_utf8(std::string_view charset, std::string_view octets);

}  // namespace cmpost
