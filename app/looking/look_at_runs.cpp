#include "app/looking/inspection.h"
#include "base/file_lock.h"
#include "processor/runs/run_table.h"

namespace cmpost {
namespace {

// What is to be said of the newest run of a name.
std::optional<Remark> remark_about(const RunRow& run, bool at_work, bool has_successor,
                                   bool reports) {
  const auto title = "run " + run.name + " " + std::to_string(run.number);
  if (!run.ended) {
    if (at_work) return std::nullopt;
    return Remark{Severity::warning,
                  RemarkKind::run,
                  title,
                  "its process has ended, and it has not",
                  "`cmpost run " + run.name + "` goes on with it; so does the schedule",
                  {}};
  }
  if (run.end == RunEnd::stopped && !has_successor) {
    return Remark{Severity::error,
                  RemarkKind::run,
                  title,
                  "it was stopped by a rule, and no other one begins",
                  "`cmpost report show " + std::to_string(run.number) +
                      "` says why; then `cmpost run " + run.name + " --go-on \"why\"`",
                  {}};
  }
  if (reports && run.signature.empty() && !run.facts.empty()) {
    return Remark{Severity::warning,
                  RemarkKind::run,
                  title,
                  "its report has not been made",
                  "`cmpost report make " + std::to_string(run.number) + "`",
                  {}};
  }
  return std::nullopt;
}

}  // namespace

void look_at_runs(Instance& instance, Remarks& findings) {
  if (instance.settings().runs.empty()) return;
  const auto reader = instance.look_into_ledger();
  if (!reader) return;  // told of the transactions
  const bool at_work = is_locked(lock_of_runs(instance.settings().instance.state));
  RunTable table((*reader)->connection());
  for (const auto& settings : instance.settings().runs) {
    const auto run = table.newest(settings.name);
    if (!run) return findings.add(RemarkKind::database, "the ledger", run.error());
    if (!*run) continue;
    const auto next = table.continued_by((*run)->number);
    if (!next) return findings.add(RemarkKind::database, "the ledger", next.error());
    auto remark = remark_about(**run, at_work, next->has_value(), !settings.report.empty());
    if (remark) findings.add(*std::move(remark));
  }
}

}  // namespace cmpost
