// The other commands: each function adds one.
#pragma once

#include "app/terminal/command_line.h"

namespace cmpost {

void add_init(CommandLine line);
void add_check(CommandLine line);
void add_status(CommandLine line);
void add_queue(CommandLine line);
void add_crl(CommandLine line);
void add_ra(CommandLine line);
void add_ca(CommandLine line);
void add_profile(CommandLine line);
void add_channel(CommandLine line);
void add_resend(CommandLine line);
void add_bundle(CommandLine line);
void add_order(CommandLine line);
void add_restore_check(CommandLine line);
void add_inspect(CommandLine line);
void add_clock(CommandLine line);
void add_report(CommandLine line);

}  // namespace cmpost
