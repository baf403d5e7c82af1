// "It is not there" and "nobody can say" are two answers.
#pragma once

#include <optional>
#include <string>

#include "base/files.h"

namespace cmpost {

// Has anything this name, a link that leads nowhere too? An Error: it could not be found out.
Result<bool> is_there(const std::string& path);
Result<bool> is_there(const FileDescriptor& directory, const std::string& name);

// As read_file() and read_file_at(); nullopt when there is no such file, which no Error says.
Result<std::optional<Bytes>> read_if_there(const std::string& path, std::size_t limit);
Result<std::optional<Bytes>> read_if_there(const FileDescriptor& directory, const std::string& name,
                                           std::size_t limit);

// The names in a directory, without "." and ".."; none when there is no such directory. An Error:
// there may be others.
Result<std::vector<std::string>> names_if_there(const std::string& path);

}  // namespace cmpost
