// The addresses of a mail server.
#pragma once

#include <string>

#include "config/mail_settings.h"
#include "mail/wire/patience.h"

namespace cmpost {

// "host:port:address,address", as CURLOPT_RESOLVE takes it; empty where `host` is an address
// itself. libcurl would leave a look-up of its own behind for each connection that a silent name
// server has cost; find_addresses() leaves some.
Result<std::string> server_addresses(const MailUrl& url, const Patience& patience);

}  // namespace cmpost
