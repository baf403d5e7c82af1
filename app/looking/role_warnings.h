// What `trust` and `roles` of the channels grant to more than somebody may think.
#pragma once

#include <string>
#include <vector>

#include "app/instance/instance.h"

namespace cmpost {

// One sentence each: this CA or one above it among those that are believed, one certificate in
// several roles, RAs without id-kp-cmcRA.
Result<std::vector<std::string>> find_role_warnings(Instance& instance);

}  // namespace cmpost
