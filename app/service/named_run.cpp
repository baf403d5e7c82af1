#include "app/service/named_run.h"

#include <nlohmann/json.hpp>

#include "app/instance/own_renewal.h"
#include "app/instance/settings_in_use.h"
#include "app/service/batch_run.h"
#include "app/service/run_facts.h"
#include "app/service/run_record.h"
#include "app/terminal/named.h"
#include "app/terminal/output.h"
#include "base/file_lock.h"
#include "base/log.h"
#include "processor/runs/run_items.h"
#include "report/headline.h"

namespace cmpost {
namespace {

Result<FileDescriptor> lock_runs(const std::string& state) {
  TRY(make_directories(state));
  ASSIGN_OR_RETURN(auto lock, try_lock(lock_of_runs(state)));
  if (lock) return *std::move(lock);
  return retry("another run is under way on this instance",
               "two never overlap; see `cmpost report list`");
}

// Judged on what is durable, so that a run that was killed goes on counting.
class Rules {
 public:
  Rules(Instance& instance, const RunRow& run, const std::vector<StopRule>& rules)
      : instance_(instance), run_(run), rules_(rules) {}

  Result<std::optional<std::string>> stop_reason() {
    if (!reader_) {
      ASSIGN_OR_RETURN(auto* const ledger, instance_.ledger());
      ASSIGN_OR_RETURN(reader_, ledger->reader());
    }
    TRY(RunTable(reader_->connection()).look(run_.number, seen_));
    for (const auto& rule : rules_) {
      ASSIGN_OR_RETURN(const auto count, count_of(rule));
      const bool enough = !rule.percent || count.of >= rule.at_least;
      const double share = static_cast<double>(count.number) * (rule.percent ? 100.0 : 1.0) /
                           (rule.percent ? std::max<double>(1, static_cast<double>(count.of)) : 1);
      if (!enough || share <= rule.limit) continue;
      return std::optional(rule.text + ": " + words_of(rule, count));
    }
    return std::optional<std::string>();
  }

 private:
  struct Count {
    std::uint64_t number = 0;
    std::uint64_t of = 0;  // requests
  };

  static std::string words_of(const StopRule& rule, const Count& count) {
    if (rule.what == StopRule::What::issued) {
      return std::to_string(count.number) + " certificates for " + std::to_string(count.of) +
             " requests";
    }
    return std::to_string(count.number) + " of " + std::to_string(count.of) + " requests";
  }

  Result<Count> count_of(const StopRule& rule) {
    switch (rule.what) {
      case StopRule::What::rejected:
        return Count{seen_.refused, seen_.items};
      case StopRule::What::issued:
        return Count{seen_.issued, seen_.items};
      case StopRule::What::held:
        break;
    }
    // They are no messages that were worked on.
    ASSIGN_OR_RETURN(const auto jobs, held_jobs(instance_, run_));
    ASSIGN_OR_RETURN(const auto held, count_newly_held(reader_->connection(), jobs));
    return Count{held, seen_.items + held};
  }

  Instance& instance_;
  const RunRow& run_;
  const std::vector<StopRule>& rules_;
  std::unique_ptr<LedgerReader> reader_;
  RunTable::Progress seen_;
};

Result<const RunSettings*> run_settings(const Settings& settings, const std::string& name) {
  if (const auto* const run = settings.run(name)) return run;
  std::vector<std::string> names;
  for (const auto& run : settings.runs) names.push_back(run.name);
  return failure(no_such("run", name, names));
}

// A rule counts for the last group, too: then the next run waits for people.
Result<EndedRun> end_of(const BatchRun& batch, const RunRow& run, Rules& rules) {
  auto why = batch.stopped_for();
  if (!why) {
    ASSIGN_OR_RETURN(why, rules.stop_reason());
  }
  if (!why) return EndedRun{};
  return EndedRun{
      RunEnd::stopped, *why,
      "what is not answered waits in the queue; when the reason is known: `cmpost run " + run.name +
          " --go-on \"why\"`"};
}

Result<void> check(const NamedRunOptions& options) {
  const bool blank = options.go_on.find_first_not_of(" \t") == std::string::npos;
  if (!options.go_on.empty() && blank) return wrong_usage("--go-on has no reason");
  if (options.planned && *options.planned > SystemClock().now()) {
    return wrong_usage("--planned is in the future", "leave it out");
  }
  return {};
}

void print(const RunFacts& facts, const std::string& report, bool as_json) {
  const auto head = headline(facts, facts.counts);
  if (as_json) {
    nlohmann::json all = {{"run", facts.name},
                          {"number", facts.number},
                          {"end", to_string(facts.end)},
                          {"why", facts.why},
                          {"requests", facts.counts.total()},
                          {"sent", facts.sent},
                          {"still_to_send", facts.still_to_send},
                          {"report", report}};
    for (std::size_t i = 0; i < kItemResults; ++i) {
      const auto result = static_cast<ItemResult>(i);
      all[std::string(to_string(result))] = facts.counts[result];
    }
    print_json(all);
    return;
  }
  print_line(head.sentence);
  if (!report.empty()) print_line("report: " + report);
}

bool all_well(const RunFacts& facts) {
  const auto& counts = facts.counts;
  const bool trouble = std::ranges::any_of(
      facts.channels, [](const auto& channel) { return !channel.trouble.empty(); });
  return facts.end == RunEnd::done && !trouble && facts.still_waiting == 0 &&
         facts.still_to_send == 0 && facts.not_sendable == 0 &&
         counts[ItemResult::refused] + counts[ItemResult::partly] + counts[ItemResult::held] == 0;
}

// Where it is; empty: nobody wants one. The run has ended, whether it can be written or not.
Result<std::string> report_of(Instance& instance, const RunRow& run, const RunSettings& settings) {
  if (settings.report.empty()) {
    TRY(owe_no_report(instance, run));
    return std::string();
  }
  auto report = report_run(instance, run.number, settings.report);
  if (report) return report;
  log::error("run.not_reported", {{"run", run.name}, {"error", to_string(report.error())}});
  auto error = std::move(report).error();
  error.hint += (error.hint.empty() ? "" : "; ") +
                ("then `cmpost report make " + std::to_string(run.number) + "`, or the next run");
  return failure(std::move(error));
}

}  // namespace

Result<ExitCode> run_named(const NamedRunOptions& options, const CommonOptions& common) {
  TRY(check(options));
  ASSIGN_OR_RETURN(const auto signals, ProcessSignals::create(Asked::stop));
  ASSIGN_OR_RETURN(const auto file, find_config(common));
  const auto digest = digest_of_settings(file);
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto* const settings, run_settings(instance->settings(), options.name));
  instance->work_on({ChannelScope::Which::only, settings->channels});
  TRY(instance->refuse_open_secrets());
  ASSIGN_OR_RETURN(const auto lock, lock_runs(instance->settings().instance.state));
  ASSIGN_OR_RETURN(
      const auto run,
      begin_run(*instance, {settings->name, settings->channels, options.planned, options.go_on},
                digest));
  report_owed(*instance, *settings);
  log::info("run.started", {{"run", run.name}, {"number", run.number}, {"resumed", run.resumed}});
  Rules rules(*instance, run, settings->stop_if);
  BatchRun batch(*instance, digest,
                 {.stop_reason = [&] { return rules.stop_reason(); },
                  .rate = settings->rate,
                  .channels_may_rest = true,
                  .quiet = common.quiet});
  const auto worked = batch.work(*signals);
  if (worked) TRY(settle_own_certificate(*instance));
  if (!worked) {
    auto error = worked.error();
    error.hint += (error.hint.empty() ? "" : "; ") +
                  ("run " + run.name + " goes on as number " + std::to_string(run.number) +
                   " when it is started again");
    return failure(std::move(error));
  }
  ASSIGN_OR_RETURN(const auto how, end_of(batch, run, rules));
  ASSIGN_OR_RETURN(const auto facts, end_run(*instance, run, how, digest));
  const auto report = report_of(*instance, run, *settings);
  log::info("run.ended",
            {{"run", run.name}, {"number", run.number}, {"end", to_string(facts.end)}});
  if (!report) print_error(report.error());
  if (!common.quiet || common.json) print(facts, report.value_or(""), common.json);
  return all_well(facts) && report ? ExitCode::ok : ExitCode::partly;
}

}  // namespace cmpost
