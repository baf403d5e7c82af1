// Making many small files durable at the price of a few.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"

namespace cmpost {

// Hands a file's octets to the disk without waiting, so that a later sync has little left to do.
void start_writeback(const FileDescriptor& file);

// Lets go of what memory holds of a durable file, so that the next read asks the disk. A hint.
void forget_cached(const FileDescriptor& directory, const std::string& name);

// fsync(2) of each file, by a few threads: the file system ends the waits of several callers with
// one commit of its journal. Returns 0 or errno for each file.
std::vector<int> sync_group(const std::vector<int>& files);

}  // namespace cmpost
