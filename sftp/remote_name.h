// What the name of a file at a server tells. Names are a stranger's: one that is wrong here never
// becomes part of a path.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "crypto/keys/algorithm.h"

namespace cmpost {

// Why a name cannot be one of a file in the directory that was listed; empty: it can.
std::string name_mistake(std::string_view name);

// DIRECTORY/NAME.
std::string remote_path(const std::string& directory, std::string_view name);

// A marker holds nothing, or the SHA-256 of its file in hexadecimal as its first word. An Error
// (hold): it holds something else.
Result<std::optional<Sha256>> read_marker(ByteView contents);

}  // namespace cmpost
