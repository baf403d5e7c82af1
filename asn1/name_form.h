// Whether a name that somebody else wrote can be read by others: what stands inside the tags.
#pragma once

#include <optional>
#include <string>

#include "asn1/name.h"

namespace cmpost {

// What is wrong with it, for people; nullopt when every reader takes it. A DirectoryString (RFC
// 5280 4.1.2.4) has the characters of its type and at least one, and is of a type that all read;
// the attributes of an RDN are in the order of DER.
std::optional<std::string> wrong_form(const Name& name);

enum class NameUse {
  name,       // subjectAltName and other places where something is named
  constraint  // the base of a GeneralSubtree (RFC 5280 4.2.1.10)
};
// `name` as read_general_name() gave it.
std::optional<std::string> wrong_form(const GeneralName& name, NameUse use = NameUse::name);

// RFC 3986: a scheme, octets that a URI may have, percent signs only before two digits, an
// authority with a host and a port that are some.
bool is_uri(std::string_view text);

}  // namespace cmpost
