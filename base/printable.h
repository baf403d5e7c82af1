// What may be shown on a terminal, in a log or in a file that people read. printable() (bytes.h),
// the only escaper for that, makes \xNN of the octets of everything else.
#pragma once

#include <cstddef>
#include <string_view>

namespace cmpost {

// The length of the character at the front if it may be shown as it is; 0 for what is not UTF-8,
// for controls (C0, C1), what changes the direction of text, ends a line or is not seen.
std::size_t printable_length(std::string_view text);

}  // namespace cmpost
