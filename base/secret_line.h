// Passwords in files.
#pragma once

#include <string>

#include "base/result.h"

namespace cmpost {

// The first line of a file of at most 16 KiB, which ends with LF, CR LF or the file: some text
// without control characters, since those would end a string or a line of a dialogue elsewhere. An
// Error never quotes it.
Result<std::string> read_secret_line(const std::string& path);

// Whether it is such a line.
bool is_secret_line(std::string_view text);

}  // namespace cmpost
