// The names of mailboxes, as IMAP wants them.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace cmpost {

// A quoted string of the name in modified UTF-7 (RFC 3501, 5.1.3), from UTF-8. Control characters,
// broken UTF-8 and names of more than 500 octets are an Error (hold).
Result<std::string> imap_mailbox(std::string_view name);

}  // namespace cmpost
