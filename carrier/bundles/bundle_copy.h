// One copy of a bundle, written where somebody can carry it from.
#pragma once

#include <string>

#include "carrier/bundles/bundle_archive.h"

namespace cmpost {

// Writes the files of the bundle in `archived` into `directory`: the parts first, then signature
// and sums, the manifest last, each step durable before the next; what is written is read back. A
// file that is there with the right octets stays, so a copy that was interrupted is gone on with.
// True: the copy is whole. False: one of its names has other octets, so another copy is needed. An
// Error: also when the archive itself is damaged.
Result<bool> write_copy(const std::string& archived, const MadeBundle& bundle,
                        const std::string& directory, std::uint64_t copy);

// Is a whole copy of it there, and which? 0: none. For a medium that has it already.
Result<std::uint64_t> find_copy(const MadeBundle& bundle, const std::string& directory);

// Removes the files of this name and number, of all copies, the manifests first; how many.
Result<std::size_t> remove_copies(const std::string& directory, const std::string& stream,
                                  std::uint64_t number);

}  // namespace cmpost
