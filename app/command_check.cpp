#include <cstdio>

#include "app/command.h"
#include "app/instance.h"
#include "app/lifetimes.h"
#include "app/output.h"

namespace cmpost {
namespace {

// Every mistake that can be found without working: settings, files, keys, databases, lifetimes.
Result<ExitCode> check(const CommonOptions& options) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(options));
  const auto complaints = check_files(instance->settings());
  for (const auto& complaint : complaints)
    std::fprintf(stderr, "%s\n", to_string(complaint).c_str());
  if (!complaints.empty()) return hold(std::string(kWrongSettings));
  if (const auto services = instance->services(); !services) {
    return hold(std::string(kWrongSettings) + ": " + services.error().what, services.error().hint);
  }
  TRY(instance->spool());
  TRY(instance->ledger());
  ASSIGN_OR_RETURN(const auto warnings, find_lifetime_warnings(*instance));
  for (const auto& warning : warnings) std::fprintf(stderr, "cmpost: %s\n", warning.text.c_str());
  const bool urgent = std::ranges::any_of(warnings, &LifetimeWarning::urgent);
  if (!options.quiet && !urgent) print_line(instance->settings().file + ": all well");
  return urgent ? ExitCode::failed : warnings.empty() ? ExitCode::ok : ExitCode::partly;
}

}  // namespace

void add_check(CommandLine line) {
  auto* command = line.app.add_subcommand("check", "find every mistake in the configuration");
  static bool connect = false;  // nothing to connect to yet, so nothing reads it
  command->add_flag("--connect", connect,
                    "also log in on every channel that needs it (none does in this version)");
  command->callback([line] { line.action = [common = &line.options] { return check(*common); }; });
}

}  // namespace cmpost
