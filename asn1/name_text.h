// Names as text, both ways; for name.cpp and general_name.cpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "asn1/der.h"
#include "base/result.h"

namespace cmpost {

// The UTF-8 text of a string type of X.520; nullopt for other types and for octets that are not of
// the type they claim.
std::optional<std::string> directory_string(const der::Element& value);

// "CN=a\, b", RFC 4514 2.3 and 2.4. A type without a short name has its value as "#hex".
std::string attribute_text(const Oid& type, const der::Element& value);

// "CN" and the like in any case, or a dotted OID.
std::optional<Oid> attribute_type(std::string_view text);

// The RelativeDistinguishedNames of Name::from_text, encoded, in the order of the DER.
Result<std::vector<Bytes>> parse_name_text(std::string_view text);

}  // namespace cmpost
