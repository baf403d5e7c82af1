// Writing where others may have put links: never into a file that has another name.
#pragma once

#include "base/files.h"

namespace cmpost {

// As write_file with `replace`, of `name` in an open directory, and without syncing: for what may
// be lost. Whatever has the name, a link to somebody's file too, loses it and is not written to.
Result<void> replace_file_at(const FileDescriptor& directory, const std::string& name,
                             ByteView contents, mode_t mode);

// A file to append to, made when it is missing: a regular one with this name alone. A link of
// either kind is an Error (hold): its octets would go into another file.
Result<FileDescriptor> open_for_appending(const std::string& path, mode_t mode);

}  // namespace cmpost
