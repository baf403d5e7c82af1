#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/instance/instance.h"
#include "app/instance/own_renewal.h"
#include "app/instance/settings_in_use.h"
#include "app/looking/clock_notes.h"
#include "app/service/batch_run.h"
#include "app/service/named_run.h"
#include "app/service/run_record.h"
#include "app/service/run_scope.h"
#include "app/service/service_commands.h"
#include "app/terminal/output.h"
#include "base/joined.h"

namespace cmpost {
namespace {

void print(const BatchRun& run, bool as_json) {
  if (as_json) {
    print_json({{"taken", run.intake().deposited},
                {"quarantined", run.intake().quarantined},
                {"answered", run.processed().answered},
                {"refused", run.processed().refused},
                {"held", run.processed().held},
                {"deferred", run.processed().deferred + run.sent().deferred},
                {"sent", run.sent().sent},
                {"still_to_send", run.still_to_send()},
                {"for_the_courier", run.for_the_courier()}});
    return;
  }
  print_line(
      "taken in " + std::to_string(run.intake().deposited) + ", answered " +
      std::to_string(run.processed().answered) + " (refused " +
      std::to_string(run.processed().refused) + "), sent " + std::to_string(run.sent().sent) +
      ", put aside " + std::to_string(run.intake().quarantined + run.processed().held) +
      (run.still_to_send() == 0 ? ""
                                : ", still to be sent " + std::to_string(run.still_to_send())) +
      (run.for_the_courier() == 0 ? ""
                                  : ", for the courier " + std::to_string(run.for_the_courier())));
}

// Whoever has moved channels into runs may have left a timer behind that does nothing now.
void tell_of_runs(const Instance& instance) {
  const auto& settings = instance.settings();
  const auto ours = [&](const auto& channel) { return instance.scope().has(channel.name); };
  if (settings.runs.empty() || std::ranges::any_of(settings.channels, ours)) return;
  std::vector<std::string> names;
  for (const auto& run : settings.runs) names.push_back("`cmpost run " + run.name + "`");
  print_warning("every channel belongs to a run: " + joined(names, ", "));
}

Result<ExitCode> run(const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto signals, ProcessSignals::create(Asked::stop));
  ASSIGN_OR_RETURN(const auto file, find_config(common));
  const auto digest = digest_of_settings(file);
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  TRY(instance->refuse_open_secrets());
  instance->work_on(scope_of_others(instance->settings()));
  TRY(end_orphans(*instance, digest));
  BatchRun batch(*instance, digest, {.quiet = common.quiet});
  TRY(batch.work(*signals));
  TRY(settle_own_certificate(*instance));
  if (!common.quiet || common.json) print(batch, common.json);
  if (!common.quiet) tell_of_runs(*instance);
  // Requests may wait for it, and what is overdue does.
  ASSIGN_OR_RETURN(const auto clock, find_clock_notes(*instance));
  const bool all_well =
      std::ranges::none_of(clock, &ClockNote::urgent) &&
      batch.intake().quarantined + batch.intake().stuck == 0 &&
      batch.processed().refused + batch.processed().held + batch.processed().deferred == 0 &&
      batch.sent().held + batch.still_to_send() == 0;
  return all_well ? ExitCode::ok : ExitCode::partly;
}

}  // namespace

void add_run(CommandLine line) {
  auto* command =
      line.app.add_subcommand("run", "one batch: take in all that waits, answer it, report, exit");
  auto options = std::make_shared<NamedRunOptions>();
  auto planned = std::make_shared<std::int64_t>(0);
  command->add_option("name", options->name, "a [[run]] of the settings: on its channels alone");
  command->add_option("--go-on", options->go_on,
                      "why it goes on after one that was stopped; stands in the audit log");
  command->add_option("--planned", *planned, "")->group("");  // of `serve`: seconds since 1970
  command->callback([=] {
    if (*planned > 0) options->planned = Time(std::chrono::seconds(*planned));
    line.action = [=, common = &line.options] {
      return options->name.empty() ? run(*common) : run_named(*options, *common);
    };
  });
}

}  // namespace cmpost
