// `cmpost ca credential`.
#pragma once

#include "app/command_line.h"

namespace cmpost {

void add_credential(CLI::App& ca, CommandLine line);

}  // namespace cmpost
