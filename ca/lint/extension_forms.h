// The syntax of extension values, checked before they are signed: what is copied from requests or
// written by hand into settings must be readable by others.
#pragma once

#include <optional>
#include <string>

#include "crypto/x509/certificate.h"

namespace cmpost {

// What is wrong with the value, for people; nullopt when every reader takes it. Values of the
// extensions of RFC 5280 and of the usual others are read down to their last octet; of what nobody
// knows, that it is DER inside. What the values mean together is for the linter.
std::optional<std::string> wrong_form(const Extension& extension);

}  // namespace cmpost
