// What the name of a file in an input directory tells. It never tells where an answer goes.
#pragma once

#include <string>
#include <string_view>

namespace cmpost {

// Files that are somebody's business but not ours: hidden ones, *.tmp *.part *.filepart
// *.crdownload (in any case) and ~*.
bool is_ignored(std::string_view name);

// Ends in .pki, .der or .cmp, in any case (RFC 9483 6.4.1 asks for .pki).
bool is_request_name(std::string_view name);

// The name without its last extension: "dev1" of "dev1.pki".
std::string_view stem_of(std::string_view name);

// printable(), but never cut: what tells two names apart may be at their end.
std::string whole_name(std::string_view name);

// "dev1-MARK.pki" of "dev1.pki": the name for a second file of that name. Its middle is cut out so
// that it and `reserve` more octets fit into a directory entry.
std::string marked_name(std::string_view name, std::string_view mark, std::size_t reserve = 0);

}  // namespace cmpost
