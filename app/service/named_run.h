// A run of the settings: numbered, alone, on its own channels, with a report.
#pragma once

#include <optional>
#include <string>

#include "app/terminal/command_line.h"
#include "app/terminal/exit_code.h"
#include "base/clock.h"

namespace cmpost {

struct NamedRunOptions {
  std::string name;             // of [[run]]
  std::optional<Time> planned;  // by the schedule; nullopt: by hand
  std::string go_on;            // why it goes on after one that was stopped; empty: it does not
};

// A run that was killed goes on under its number; all that was answered in it counts. Two never
// overlap: the second is an Error (retry), and nothing is done. When it returns ok or partly, the
// run has ended, is on record, and its report, where one is set, is durable.
Result<ExitCode> run_named(const NamedRunOptions& options, const CommonOptions& common);

}  // namespace cmpost
