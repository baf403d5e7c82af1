// Serial numbers that sort by time, so that a ledger of millions grows at one end of its index.
#pragma once

#include "base/clock.h"
#include "base/random.h"

namespace cmpost {

constexpr std::size_t kSerialNumberOctets = 16;

// 16 octets, big-endian: the bits 01 (positive, and always the same length), 46 bits of
// milliseconds since 1970, 80 random bits. RFC 5280 4.1.2.2 asks for positive and at most 20
// octets; CA/Browser Forum BR 7.1 for at least 64 bits of chance.
Bytes make_serial_number(Time now, Random& random);

// For people: INTEGER content octets in hexadecimal, without the octet that only says the sign.
std::string serial_text(ByteView serial);

}  // namespace cmpost
