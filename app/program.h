// The program: all commands together.
#pragma once

#include "app/terminal/command_line.h"

namespace cmpost {

// All commands with all their options.
void build_command_line(CommandLine line);

// main() without the process: parses, runs, prints errors.
ExitCode run_program(int argc, const char* const* argv);

}  // namespace cmpost
