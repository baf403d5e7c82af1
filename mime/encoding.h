// Content-Transfer-Encoding (RFC 2045 6): bodies as they travel, bodies as they were meant.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace cmpost {

enum class TransferEncoding { absent, identity, base64, quoted_printable, unknown };

// "7bit", "8bit" and "binary" change nothing and are all `identity`.
TransferEncoding read_transfer_encoding(std::string_view value);

// Strict: nullopt when the body is damaged, or the encoding unknown. mimetic's decoder, and many
// others, skip what is damaged and return a different message (channels A4).
std::optional<Bytes> decode_body(TransferEncoding encoding, ByteView body);

// RFC 2045 6.7. Takes lower-case digits, too, and blanks before a line end are not there.
std::optional<Bytes> from_quoted_printable(std::string_view text);
// Lines end in CRLF and have at most 76 octets; LF in `text` is a line end. No line starts with "."
// or "From ", which gateways treat specially.
std::string to_quoted_printable(std::string_view text);

// Base64 in lines of 76 octets that end in CRLF.
std::string to_base64_lines(ByteView octets);

}  // namespace cmpost
