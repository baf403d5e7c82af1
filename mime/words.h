// RFC 2047: text beyond ASCII in header fields.
#pragma once

#include <string>
#include <string_view>

namespace cmpost {

// Encoded words become UTF-8; what only looks like one stays. For people and file names: the result
// is well-formed UTF-8 without control characters, but nothing else is promised about it.
std::string decode_words(std::string_view text);

// `text` (UTF-8) as encoded words of at most 60 octets, separated by `CRLF SP`.
std::string encode_words(std::string_view text);

}  // namespace cmpost
