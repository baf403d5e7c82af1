// What tells one arrival of a file from another.
#pragma once

#include <array>
#include <cstdint>

#include "watcher/settling.h"

namespace cmpost {

// Inode and mtime, which a rename keeps: the arrival part of a job id.
std::array<std::uint8_t, 16> arrival_of(const Look& look);

}  // namespace cmpost
