// The command line: what every command has, and one function that adds each.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "app/exit_code.h"
#include "base/result.h"

namespace cmpost {

// Options that every command knows.
struct CommonOptions {
  std::string config;  // empty: ./cmpost.toml, then /etc/cmpost/cmpost.toml
  bool json = false;
  bool quiet = false;
  std::string as, comment;  // who and why, for the audit log
};

// Set by the command that was named; called once everything is parsed.
using Action = std::function<Result<ExitCode>()>;

struct CommandLine {
  CLI::App& app;
  CommonOptions& options;
  Action& action;
};

void add_init(CommandLine line);
void add_check(CommandLine line);
void add_serve(CommandLine line);
void add_run(CommandLine line);
void add_status(CommandLine line);
void add_queue(CommandLine line);
void add_transaction(CommandLine line);
void add_approve(CommandLine line);
void add_reject(CommandLine line);
void add_secret(CommandLine line);
void add_cert(CommandLine line);
void add_crl(CommandLine line);
void add_ca(CommandLine line);
void add_announcement(CommandLine line);
void add_profile(CommandLine line);
void add_audit(CommandLine line);
void add_channel(CommandLine line);
void add_resend(CommandLine line);
void add_restore_check(CommandLine line);
void add_inspect(CommandLine line);
void add_clock(CommandLine line);

// All commands with all their options.
void build_command_line(CommandLine line);

// main() without the process: parses, runs, prints errors.
ExitCode run_program(int argc, const char* const* argv);

}  // namespace cmpost
