// Where a process may die in the tests.
#pragma once

#include <string_view>

namespace cmpost {

// Marks one durable step: just before and just after a sync, a rename or a commit. With
// CMPOST_CRASH_AT=N in the environment the process kills itself (SIGKILL, as a loss of power
// would) at the N-th step that it reaches; with CMPOST_CRASH_AT=NAME:N at the N-th step of that
// name. Without the variable this is one load of a flag.
void crash_point(std::string_view name);

}  // namespace cmpost
