// The extension values that we read; for this folder only. A malformed value is nullopt.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "asn1/oid.h"
#include "base/bytes.h"

namespace cmpost {

// KeyUsage, bit i of the value is named bit i.
std::optional<std::uint32_t> key_usage_bits(ByteView extnValue);
// cA of BasicConstraints.
std::optional<bool> basic_constraints_ca(ByteView extnValue);
std::optional<std::vector<Oid>> key_purposes(ByteView extnValue);
std::optional<Bytes> subject_key_identifier_value(ByteView extnValue);
// keyIdentifier of AuthorityKeyIdentifier.
std::optional<Bytes> authority_key_identifier_value(ByteView extnValue);

}  // namespace cmpost
