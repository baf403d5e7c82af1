// Which medium is there, if any.
#pragma once

#include <optional>
#include <string>

#include "base/random.h"
#include "base/result.h"

namespace cmpost {

struct MediumPlace {
  std::string in;           // a directory on the medium, there only while the medium is
  std::string mount_point;  // must be a mount point while the medium is there; empty: not asked
};

struct Medium {
  // What tells this medium from others: 32 hexadecimal digits in `in`/.cmpost-medium; for one that
  // cannot be written to "read-only-" and a digest of what is on it.
  std::string id;
  bool writable = false;
};

// nullopt: none is there. `label`: a medium that has no id gets one, durably; without it such a
// medium has an empty id. Opens nothing for longer than the call. An Error is something else than
// an absent medium.
Result<std::optional<Medium>> find_medium(const MediumPlace& place, Random* label = nullptr);

}  // namespace cmpost
