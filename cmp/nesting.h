// Messages in messages, seen without decoding them.
#pragma once

#include <vector>

#include "base/bytes.h"

namespace cmpost {

// By the tag of the body alone.
bool is_nested(ByteView message);
// The members of a nested message as they stand, whatever they are; none for another message. Views
// into `message`; what is malformed ends the list.
std::vector<ByteView> nested_members(ByteView message);
// How deep messages lie in messages: 0 for one that is not nested. Looks `limit` levels deep, no
// further; the work is linear in the octets for each level.
int nesting_depth(ByteView message, int limit);

}  // namespace cmpost
