// The addresses of a server.
#pragma once

#include <string>

#include "base/result.h"
#include "net/patience.h"

namespace cmpost {

// "host:port:address,address", as CURLOPT_RESOLVE takes it; empty where `host` is an address
// itself. libcurl would leave a look-up of its own behind for each connection that a silent name
// server has cost; find_addresses() leaves some.
Result<std::string> server_addresses(const std::string& host, int port, const Patience& patience);

}  // namespace cmpost
