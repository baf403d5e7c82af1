// Files that belong together, named by their SHA-256.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/keys/algorithm.h"

namespace cmpost {

struct ListedFile {
  std::string name;  // of one directory entry
  Sha256 sha256{};
};

// 64 hexadecimal digits in either case; nullopt for anything else.
std::optional<Sha256> sha256_from_hex(std::string_view text);

// May `name` stand in a list? One visible entry of a directory: not empty, at most 255 octets, no
// '/', no control characters, not starting with '.'.
bool is_plain_file_name(std::string_view name);

inline constexpr std::size_t kLargestHashList = std::size_t{1} << 20U;  // octets
inline constexpr std::size_t kMostListedFiles = 5'000;

// What `sha256sum FILE...` writes: a digest, a blank, a blank or '*', a name ("./" before it is
// dropped). Empty lines and lines that begin with '#' are skipped; lines end in LF or CRLF, the
// last one too, so that a list that is cut off shows. An Error (hold) names the line. A list of
// nothing, one that names a file twice, and one beyond the limits above is an Error.
Result<std::vector<ListedFile>> parse_hash_list(ByteView text);

}  // namespace cmpost
