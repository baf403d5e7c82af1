// mimetic's view of a mail, as a second opinion on our own scanner's.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace cmpost {

// A leaf of the tree, depth first.
struct TreeLeaf {
  std::string type;  // "application/pkixcmp", lower case, without comments
  std::size_t size;  // octets of the body as it stands there, less line ends at its end
};

// Only for mails that scan() has found within the limits: mimetic has none of its own.
Result<std::vector<TreeLeaf>> mimetic_leaves(ByteView raw);

}  // namespace cmpost
