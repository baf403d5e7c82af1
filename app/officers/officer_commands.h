// The commands about who decides: each function adds one.
#pragma once

#include "app/terminal/command_line.h"

namespace cmpost {

void add_approve(CommandLine line);
void add_reject(CommandLine line);
void add_rule(CommandLine line);
void add_verdict(CommandLine line);

}  // namespace cmpost
