// The commands that list, show and decide: each function adds one.
#pragma once

#include "app/terminal/command_line.h"

namespace cmpost {

void add_transaction(CommandLine line);
void add_secret(CommandLine line);
void add_cert(CommandLine line);
void add_announcement(CommandLine line);
void add_orphan(CommandLine line);
void add_audit(CommandLine line);

}  // namespace cmpost
