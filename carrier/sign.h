// Small files that tell an operator how things are just now.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace cmpost {

// Replaces the file at once and whole, and makes its directory where that is missing. Nothing is
// synced: such a sign is written again, and a wait for the disk would hold up what it tells of.
Result<void> write_sign(const std::string& path, std::string_view text);

}  // namespace cmpost
