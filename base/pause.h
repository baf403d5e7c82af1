// Pauses that a stop ends.
#pragma once

#include <stop_token>

#include "base/clock.h"

namespace cmpost {

// Blocks for that long, or until a stop is requested: then false. Nothing is waited for when `time`
// is not positive.
bool pause(Duration time, const std::stop_token& stop);

}  // namespace cmpost
