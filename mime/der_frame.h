// As much of DER as a mail needs: where an element ends.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace cmpost {

constexpr std::uint8_t kDerSequence = 0x30;

// Mail servers end the last line of a body. When `octets` are one SEQUENCE and a line end, the line
// end is dropped; whatever else they are stays as it is.
void drop_line_end_after_der(Bytes& octets);

}  // namespace cmpost
