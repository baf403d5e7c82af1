#include "app/looking/inspection.h"
#include "base/file_lock.h"
#include "processor/runs/run_table.h"

namespace cmpost {
namespace {

// What is to be said of the newest run of a name.
std::optional<Remark> remark_about(const RunRow& run, bool at_work, bool has_successor) {
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
  return std::nullopt;
}

Remark owed_report(const RunRow& run, std::size_t count) {
  const auto more = count - 1;
  return {Severity::warning,
          RemarkKind::run,
          "run " + run.name + " " + std::to_string(run.number),
          "its report has not been made" +
              (more == 0 ? std::string() : ", nor those of " + std::to_string(more) + " after it"),
          "`cmpost report make " + std::to_string(run.number) + "` says why; the next run tries it",
          {}};
}

Remark orphan(const RunRow& run) {
  return {Severity::warning,
          RemarkKind::run,
          "run " + run.name + " " + std::to_string(run.number),
          "it is under way, and the settings do not have it any more",
          "`cmpost run`, or the start of `cmpost serve`, ends it",
          {}};
}

Result<void> look(Instance& instance, RunTable table, bool at_work, Remarks& findings) {
  for (const auto& settings : instance.settings().runs) {
    ASSIGN_OR_RETURN(const auto run, table.newest(settings.name));
    if (!run) continue;
    ASSIGN_OR_RETURN(const auto next, table.continued_by(run->number));
    auto remark = remark_about(*run, at_work, next.has_value());
    if (remark) findings.add(*std::move(remark));
    if (settings.report.empty()) continue;
    ASSIGN_OR_RETURN(const auto owed, table.unreported(settings.name));
    if (!owed.empty() && !at_work) findings.add(owed_report(owed.front(), owed.size()));
  }
  ASSIGN_OR_RETURN(const auto some, table.under_way());
  for (const auto& run : some) {
    if (instance.settings().run(run.name) == nullptr) findings.add(orphan(run));
  }
  return {};
}

}  // namespace

void look_at_runs(Instance& instance, Remarks& findings) {
  const auto reader = instance.look_into_ledger();
  if (!reader) return;  // told of the transactions
  const bool at_work = is_locked(lock_of_runs(instance.settings().instance.state));
  const auto done = look(instance, RunTable((*reader)->connection()), at_work, findings);
  if (!done) findings.add(RemarkKind::database, "the ledger", done.error());
}

}  // namespace cmpost
