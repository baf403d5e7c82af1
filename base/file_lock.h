// A file whose lock says that somebody is at work; the lock goes with the process.
#pragma once

#include <optional>
#include <string>

#include "base/files.h"
#include "base/result.h"

namespace cmpost {

// Makes the file where there is none. The lock is held as long as what it returns; nullopt:
// somebody else holds it. Nobody waits.
Result<std::optional<FileDescriptor>> try_lock(const std::string& path);
// Whether somebody holds it now. Writes nothing.
bool is_locked(const std::string& path);

}  // namespace cmpost
