// `cmpost ca credential`.
#pragma once

#include "app/terminal/command_line.h"

namespace cmpost {

void add_credential(CLI::App& ca, CommandLine line);

}  // namespace cmpost
