// Message-ID, In-Reply-To, References (RFC 5322 3.6.4).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cmpost {

// "<x@y>" of printable ASCII, at most 250 octets. Such a one can be written into a header as it is.
bool is_message_id(std::string_view text);

// The well-formed ones in a field, the last `most`.
std::vector<std::string> read_message_ids(std::string_view field_value, std::size_t most);

}  // namespace cmpost
