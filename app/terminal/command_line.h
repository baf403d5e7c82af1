// The command line: what every command has.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "app/terminal/exit_code.h"
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

}  // namespace cmpost
