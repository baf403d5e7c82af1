// Octets, and their usual spellings.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cmpost {

using Bytes = std::vector<std::uint8_t>;
// Borrowed octets. Whoever hands one out says how long it lives; a parser takes a ByteView and
// consumes all of it or rejects.
using ByteView = std::span<const std::uint8_t>;

inline Bytes to_bytes(ByteView view) { return Bytes(view.begin(), view.end()); }
inline Bytes to_bytes(std::string_view text) { return Bytes(text.begin(), text.end()); }
inline ByteView view_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view text_of(ByteView view) {
  return {reinterpret_cast<const char*>(view.data()), view.size()};
}

bool equal(ByteView a, ByteView b);
void append(Bytes& target, ByteView more);

// Lower-case hexadecimal without separators; from_hex also takes upper case, and nothing else.
std::string to_hex(ByteView view);
std::optional<Bytes> from_hex(std::string_view text);

// RFC 4648 base64 with padding, no line breaks; from_base64 skips CR, LF, space and tab and
// refuses everything else that is not canonical.
std::string to_base64(ByteView view);
std::optional<Bytes> from_base64(std::string_view text);

// The length of the well-formed UTF-8 character (RFC 3629) at the front; 0 when there is none.
std::size_t utf8_length(std::string_view text);
bool is_utf8(std::string_view text);

// Text for a log line or terminal: control characters and what is not UTF-8 become \xNN, and
// what is longer than `limit` octets is cut and marked with "...".
std::string printable(std::string_view text, std::size_t limit = 200);

// Names are told apart by their ends as often as by their beginnings: what is longer than `limit`
// octets (at least 3) has '~' in place of its middle. Cut between UTF-8 characters.
std::string shortened(std::string_view text, std::size_t limit);

}  // namespace cmpost
