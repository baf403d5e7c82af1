// Threads, and what becomes of it when there are no more.
#pragma once

#include <functional>
#include <thread>

#include "base/result.h"

namespace cmpost {

// std::thread throws where the system has no more threads: here that is an Error (retry). The new
// thread gets no signals but those of its own faults: signals are for whoever waits for them.
Result<std::jthread> start_thread(std::function<void()> work);
Result<std::jthread> start_thread(std::function<void(std::stop_token)> work);

}  // namespace cmpost
