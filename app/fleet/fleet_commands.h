// The commands about many at once: each function adds one.
#pragma once

#include "app/terminal/command_line.h"

namespace cmpost {

void add_device(CommandLine line);
void add_batch(CommandLine line);

}  // namespace cmpost
