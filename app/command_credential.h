// `cmpost ca credential`.
#pragma once

#include "app/command.h"

namespace cmpost {

void add_credential(CLI::App& ca, CommandLine line);

}  // namespace cmpost
