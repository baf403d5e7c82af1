// `top`.
#pragma once

#include "app/terminal/command_line.h"

namespace cmpost {

void add_top(CommandLine line);

}  // namespace cmpost
