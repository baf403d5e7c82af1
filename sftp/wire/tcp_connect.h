// A TCP connection that notices when the other side is gone.
#pragma once

#include <functional>
#include <string>

#include "base/clock.h"
#include "base/files.h"

namespace cmpost {

// Connects within `limit` to the first address of `host` that answers; `give_up` is asked now and
// then whether to end before. The socket does not block,
// and breaks when the other side's machine is silent for longer than `limit`.
Result<FileDescriptor> tcp_connect(const std::string& host, int port, Duration limit,
                                   const std::function<bool()>& give_up);

}  // namespace cmpost
