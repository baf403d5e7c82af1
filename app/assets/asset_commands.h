// `fleet`.
#pragma once

#include "app/terminal/command_line.h"

namespace cmpost {

void add_fleet(CommandLine line);

}  // namespace cmpost
