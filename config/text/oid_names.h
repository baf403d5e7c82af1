// Names of attribute types, extensions and purposes as the settings file spells them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cmpost {

// The dotted OID for a name, or the text itself when it is a dotted OID; nullopt for neither.
std::optional<std::string> attribute_oid(std::string_view name);  // "CN", "commonName"
std::optional<std::string> extension_oid(std::string_view name);  // "subjectAltName"
std::optional<std::string> purpose_oid(std::string_view name);    // "clientAuth"
bool is_dotted_oid(std::string_view text);

std::vector<std::string> attribute_names();
std::vector<std::string> extension_names();
std::vector<std::string> purpose_names();

}  // namespace cmpost
