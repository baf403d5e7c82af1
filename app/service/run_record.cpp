#include "app/service/run_record.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/instance/operator_act.h"
#include "app/service/run_facts.h"
#include "base/file_lock.h"
#include "base/files.h"
#include "base/log.h"
#include "base/pause.h"
#include "crypto/envelope/envelope.h"
#include "processor/runs/run_items.h"
#include "processor/runs/stored_facts.h"
#include "report/report_files.h"

namespace cmpost {
namespace {

using nlohmann::json;

std::string title(const RunRow& run) { return run.name + " " + std::to_string(run.number); }

bool overlaps(const RunRow& run, const std::vector<std::string>& channels) {
  return std::ranges::any_of(run.channels, [&](const auto& name) {
    return std::ranges::find(channels, name) != channels.end();
  });
}

bool has_changed(const RunRow& run, const std::vector<std::string>& channels) {
  return !std::ranges::is_permutation(run.channels, channels);
}

// Its process has ended, and none goes on with it. Its report is owed (report_owed()).
Result<void> interrupt(Instance& instance, const RunRow& run, const std::string& why,
                       const std::string& settings) {
  log::warning("run.interrupted", {{"run", run.name}, {"number", run.number}, {"why", why}});
  const EndedRun how{RunEnd::interrupted, "its process has ended, and " + why,
                     "what is not answered waits in the queue for whoever works on the channels"};
  TRY(end_run(instance, run, how, settings));
  return {};
}

// The lock of runs is ours.
Result<void> end_unknown(Instance& instance, const std::string& settings) {
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  ASSIGN_OR_RETURN(const auto some, RunTable(reader->connection()).under_way());
  for (const auto& run : some) {
    if (instance.settings().run(run.name) != nullptr) continue;
    TRY(interrupt(instance, run, "the settings do not have it any more", settings));
  }
  return {};
}

// Nobody goes on with them, and their channels are wanted.
Result<void> end_leftovers(Instance& instance, const NewRun& wanted, const std::string& settings) {
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  ASSIGN_OR_RETURN(const auto some, RunTable(reader->connection()).under_way());
  for (const auto& run : some) {
    if (run.name == wanted.name) {
      // What was answered so far was answered on the channels that it had.
      if (!has_changed(run, wanted.channels)) continue;
      TRY(interrupt(instance, run, "the settings give it other channels now", settings));
    } else if (overlaps(run, wanted.channels)) {
      TRY(interrupt(instance, run, "run " + wanted.name + " wants its channels", settings));
    }
  }
  return end_unknown(instance, settings);
}

Result<std::optional<std::int64_t>> stopped_before(RunTable table, const RunRow& last) {
  if (last.end != RunEnd::stopped) return std::optional<std::int64_t>();
  ASSIGN_OR_RETURN(const auto next, table.continued_by(last.number));
  return next ? std::nullopt : std::optional(last.number);
}

Result<RunRow> resume(Instance& instance, const RunRow& run) {
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  const auto detail = by(instance.person(), {{"run", run.name}, {"number", run.number}});
  TRY(ledger->write([&](LedgerWriter& writer) -> Result<void> {
    TRY(RunTable(writer.connection()).resume(run.number));
    return writer.audit("run.resumed", detail.dump());
  }));
  auto resumed = run;
  ++resumed.resumed;
  return resumed;
}

Result<RunRow> begin_new(Instance& instance, const NewRun& wanted,
                         std::optional<std::int64_t> continues) {
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  RunRow run;
  run.name = wanted.name;
  run.channels = wanted.channels;
  run.planned = wanted.planned;
  run.started = std::chrono::floor<std::chrono::seconds>(instance.clock().now());
  run.who = wanted.planned ? "schedule" : instance.person().name();
  run.continues = continues;
  ASSIGN_OR_RETURN(const auto held, held_jobs(instance, run));
  TRY(ledger->write([&](LedgerWriter& writer) -> Result<void> {
    ASSIGN_OR_RETURN(const auto head, writer.reader().audit_head());
    run.first_audit = head.id + 1;
    ASSIGN_OR_RETURN(run.number, RunTable(writer.connection()).begin(run));
    TRY(note_held_before(writer, run.channels, held));
    auto detail = by(instance.person(), {{"run", run.name}, {"number", run.number}});
    if (continues) detail.update({{"continues", *continues}, {"because", wanted.go_on}});
    return writer.audit("run.started", detail.dump());
  }));
  return run;
}

Result<Bytes> sign(Instance& instance, ByteView sums) {
  ASSIGN_OR_RETURN(const auto* const identity, instance.identity());
  std::vector<Certificate> certificates{identity->certificate};
  for (const auto& one : identity->chain) {
    if (std::ranges::equal(one.der, identity->certificate.der())) continue;
    ASSIGN_OR_RETURN(auto certificate, Certificate::from_der(one.der));
    certificates.push_back(std::move(certificate));
  }
  return sign_detached(sums, identity->signer, certificates);
}

// Over the octets that were signed, and no others.
Result<Bytes> signature_of(Instance& instance, const RunRow& run, const RunFacts& facts,
                           ByteView sums) {
  const auto digest = sha256(sums);
  if (!run.signature.empty() && equal(run.sums, digest)) return run.signature;
  if (!run.signature.empty() && !run.sums.empty()) {
    const bool other_program = facts.version != CMPOST_VERSION;
    return hold("the records of run " + title(run) + " make another report than the one that was " +
                    "signed",
                other_program
                    ? "version " + facts.version + " of the program has made that one, and makes " +
                          "it again"
                    : "somebody or something has changed the ledger after the run: keep a copy of "
                      "it, and compare with the report that was signed and with `cmpost audit "
                      "show`, record run.reported");
  }
  ASSIGN_OR_RETURN(const auto signature, sign(instance, sums));
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  TRY(ledger->write([&](LedgerWriter& writer) -> Result<void> {
    TRY(RunTable(writer.connection()).sign(run.number, signature, digest));
    return writer.audit(
        "run.reported",
        json({{"run", run.name}, {"number", run.number}, {"sums_sha256", to_hex(digest)}}).dump());
  }));
  return signature;
}

// Reports of one instance are made one after the other: two of one run would take each other's
// files away.
Result<FileDescriptor> lock_reports(const std::string& state) {
  constexpr int kTries = 100;
  TRY(make_directories(state));
  for (int i = 0; i < kTries; ++i) {
    ASSIGN_OR_RETURN(auto lock, try_lock(state + "/report.lock"));
    if (lock) return *std::move(lock);
    (void)pause(std::chrono::milliseconds(100), {});
  }
  return retry("another process makes a report", "try again when it has ended");
}

Result<void> note_reported(Instance& instance, std::int64_t number) {
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  const auto now = instance.clock().now();
  return ledger->write([&](LedgerWriter& writer) {
    return RunTable(writer.connection()).note_reported(number, now);
  });
}

}  // namespace

Result<void> end_orphans(Instance& instance, const std::string& settings) {
  const auto& state = instance.settings().instance.state;
  TRY(make_directories(state));
  ASSIGN_OR_RETURN(const auto lock, try_lock(lock_of_runs(state)));
  return lock ? end_unknown(instance, settings) : Result<void>();
}

Result<RunRow> begin_run(Instance& instance, const NewRun& wanted, const std::string& settings) {
  TRY(end_leftovers(instance, wanted, settings));
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  RunTable table(reader->connection());
  ASSIGN_OR_RETURN(const auto last, table.newest(wanted.name));
  if (last && !last->ended) return resume(instance, *last);
  std::optional<std::int64_t> continues;
  if (last) {
    ASSIGN_OR_RETURN(continues, stopped_before(table, *last));
  }
  if (continues && wanted.go_on.empty()) {
    return wrong_usage("run " + title(*last) + " was stopped, and nobody has said to go on",
                       "see `cmpost report show " + std::to_string(*continues) +
                           "`; then `cmpost run " + wanted.name + " --go-on \"why\"`");
  }
  if (!continues && !wanted.go_on.empty()) {
    return wrong_usage("no run " + wanted.name + " was stopped that it could go on with",
                       "leave --go-on out");
  }
  return begin_new(instance, wanted, continues);
}

Result<RunFacts> end_run(Instance& instance, const RunRow& run, const EndedRun& how,
                         const std::string& settings) {
  ASSIGN_OR_RETURN(auto facts, facts_of(instance, run, settings));
  facts.end = how.end;
  facts.why = how.why;
  facts.hint = how.hint;
  ASSIGN_OR_RETURN(const auto held, held_jobs(instance, run));
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  const auto before = facts;
  TRY(ledger->write([&](LedgerWriter& writer) -> Result<void> {
    facts = before;  // the work may be done twice
    TRY(gather_items(writer, held, facts));
    ASSIGN_OR_RETURN(const auto head, writer.reader().audit_head());
    facts.audit = {run.first_audit, head.id, to_hex(head.hash)};
    TRY(RunTable(writer.connection()).end(run.number, how.end, facts.ended, stored_facts(facts)));
    return writer.audit("run.ended", json({{"run", run.name},
                                           {"number", run.number},
                                           {"end", to_string(how.end)},
                                           {"why", how.why},
                                           {"requests", facts.counts.total()},
                                           {"refused", facts.counts[ItemResult::refused]}})
                                         .dump(-1, ' ', false, json::error_handler_t::replace));
  }));
  return facts;
}

Result<std::string> report_run(Instance& instance, std::int64_t number,
                               const std::string& directory) {
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  ASSIGN_OR_RETURN(const auto lock, lock_reports(instance.settings().instance.state));
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  auto& connection = reader->connection();
  ASSIGN_OR_RETURN(const auto run, RunTable(connection).find(number));
  if (!run || run->facts.empty()) {
    return wrong_usage("there is no run " + std::to_string(number) + " that has ended",
                       "`cmpost report list`");
  }
  ASSIGN_OR_RETURN(const auto facts, parse_facts(run->facts));
  if (!exists(directory)) {
    return retry("the directory of reports " + directory + " is not there",
                 "make it, or mount what it lies on");
  }
  const auto path = directory + "/" + run->name + "-" + std::to_string(number);
  const RunItems items = [&](const std::function<Result<void>(const RunItem&)>& each) {
    return for_each_item(connection, number, each);
  };
  TRY(write_report(path, facts, items,
                   [&](ByteView sums) { return signature_of(instance, *run, facts, sums); }));
  if (!run->reported) TRY(note_reported(instance, number));
  return path;
}

Result<void> owe_no_report(Instance& instance, const RunRow& run) {
  return note_reported(instance, run.number);
}

void report_owed(Instance& instance, const RunSettings& settings) {
  if (settings.report.empty()) return;
  const auto done = [&]() -> Result<void> {
    ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
    ASSIGN_OR_RETURN(const auto reader, ledger->reader());
    ASSIGN_OR_RETURN(const auto owed, RunTable(reader->connection()).unreported(settings.name));
    for (const auto& run : owed) TRY(report_run(instance, run.number, settings.report));
    return {};
  }();
  if (!done) {
    log::error("run.not_reported", {{"run", settings.name}, {"error", to_string(done.error())}});
  }
}

}  // namespace cmpost
