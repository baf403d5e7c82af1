// Settings and secrets that let somebody have anything.
#pragma once

#include <string>
#include <vector>

#include "app/instance/instance.h"

namespace cmpost {

// One sentence about each; none of them is a mistake, all of them should be meant.
Result<std::vector<std::string>> find_wide_rights(Instance& instance);

// Who may choose a profile, in words: "secret holder", "anybody", "nobody".
std::string choosers_of(const Profile& profile);

}  // namespace cmpost
