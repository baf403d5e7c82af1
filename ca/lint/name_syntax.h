// What the names in a subjectAltName may look like (RFC 5280 4.2.1.6). Each answer is what is
// wrong, in words; empty for a name that is right.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace cmpost {

// "in the preferred name syntax" (RFC 1034 3.5, RFC 1123 2.1), and '_', which real hosts have. An
// IPv4 address is no host name. A wildcard is the whole first label.
std::string host_fault(std::string_view host, bool wildcards);
// "Local-part@Domain" (RFC 5321 4.1.2), the local part without quotes.
std::string mailbox_fault(std::string_view mailbox);
// Absolute (RFC 3986), of one of these schemes; without a userinfo before a host, where it hides
// which host it is.
std::string uri_fault(std::string_view uri, const std::vector<std::string>& schemes);
// IPv4 or IPv6, without a mask.
std::string address_fault(ByteView address);

}  // namespace cmpost
