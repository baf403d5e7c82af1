// What host names stand for, asked without being held up by name servers that are silent.
#pragma once

#include <netdb.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"

namespace cmpost {

using AddressesPtr = std::shared_ptr<const addrinfo>;

// So many names at most are asked for at a time.
constexpr std::size_t kMostLookups = 16;

// Of TCP. Waits until `until`; `give_up` is asked now and then whether to end before. Nothing ends
// getaddrinfo(3), so that it is left to itself then, in a thread of its own; whoever asks for the
// same meanwhile waits for its answer. Every Error is Recovery::retry. Any thread.
Result<AddressesPtr> find_addresses(const std::string& host, int port,
                                    std::chrono::steady_clock::time_point until,
                                    const std::function<bool()>& give_up);

}  // namespace cmpost
