// The commands that work: each function adds one.
#pragma once

#include "app/terminal/command_line.h"

namespace cmpost {

void add_serve(CommandLine line);
void add_run(CommandLine line);

}  // namespace cmpost
