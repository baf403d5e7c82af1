#include "app/service/run_record.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/instance/operator_act.h"
#include "app/service/run_facts.h"
#include "base/files.h"
#include "base/log.h"
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

// Nobody goes on with them, and their channels are wanted.
Result<void> end_leftovers(Instance& instance, const NewRun& wanted, const std::string& settings) {
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  ASSIGN_OR_RETURN(const auto some, RunTable(reader->connection()).under_way());
  for (const auto& run : some) {
    const bool known = instance.settings().run(run.name) != nullptr;
    if (run.name == wanted.name || (known && !overlaps(run, wanted.channels))) continue;
    log::warning("run.interrupted", {{"run", run.name}, {"number", run.number}});
    const EndedRun how{RunEnd::interrupted,
                       "its process has ended, and run " + wanted.name + " wants its channels",
                       "what is not answered waits in the queue: `cmpost run " + run.name + "`"};
    TRY(end_run(instance, run, how, 0, settings));
    const auto* const known_run = instance.settings().run(run.name);
    if (known_run != nullptr && !known_run->report.empty()) {
      TRY(report_run(instance, run.number, known_run->report));
    }
  }
  return {};
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
    TRY(note_held_before(writer, held));
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

}  // namespace

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
                         std::uint64_t sent, const std::string& settings) {
  ASSIGN_OR_RETURN(auto facts, facts_of(instance, run, settings));
  facts.end = how.end;
  facts.why = how.why;
  facts.hint = how.hint;
  facts.sent = sent;
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
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  auto& connection = reader->connection();
  ASSIGN_OR_RETURN(const auto run, RunTable(connection).find(number));
  if (!run || run->facts.empty()) {
    return wrong_usage("there is no run " + std::to_string(number) + " that has ended",
                       "`cmpost report list`");
  }
  ASSIGN_OR_RETURN(const auto facts, parse_facts(run->facts));
  TRY(make_directories(directory));
  const auto path = directory + "/" + run->name + "-" + std::to_string(number);
  const RunItems items = [&](const std::function<Result<void>(const RunItem&)>& each) {
    return for_each_item(connection, number, each);
  };
  const SignSums sign_sums = [&](ByteView sums) -> Result<Bytes> {
    if (!run->signature.empty()) return run->signature;
    ASSIGN_OR_RETURN(const auto signature, sign(instance, sums));
    TRY(ledger->write([&](LedgerWriter& writer) -> Result<void> {
      TRY(RunTable(writer.connection()).sign(number, signature));
      return writer.audit(
          "run.reported",
          json({{"run", run->name}, {"number", number}, {"sums_sha256", to_hex(sha256(sums))}})
              .dump());
    }));
    return signature;
  };
  TRY(write_report(path, facts, items, sign_sums));
  return path;
}

}  // namespace cmpost
