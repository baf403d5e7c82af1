#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/instance/instance.h"
#include "app/instance/list_options.h"
#include "app/records/record_commands.h"
#include "app/terminal/named.h"
#include "app/terminal/output.h"
#include "processor/records/verify_ledger.h"

namespace cmpost {
namespace {

using nlohmann::json;

struct AuditOptions {
  std::int64_t after = 0;
  ListOptions list;
};

json to_json(const AuditRecord& record) {
  return {{"id", record.id},
          {"time", to_iso8601(record.time)},
          {"event", record.event},
          {"detail", json::parse(record.detail, nullptr, false)},
          {"hash", to_hex(record.hash)}};
}

constexpr std::size_t kLongestEvent = 60;

Result<void> warn_of_unknown_event(LedgerReader& reader, const std::string& event) {
  ASSIGN_OR_RETURN(const auto events, reader.audit_events());
  if (std::ranges::find(events, event) != events.end()) return {};
  // Not every event that there may be has happened here.
  const auto near = meant(event, events);
  print_warning("warning: no record has the event '" + printable(event, kLongestEvent) + "'" +
                (near ? "; did you mean '" + *near + "'?" : ""));
  return {};
}

Result<ExitCode> show(const AuditOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  ASSIGN_OR_RETURN(auto filter, options.list.read(*instance));
  filter.after_row = options.after;
  RowSink sink({"number", "time", "event", "detail"}, options.list.form(common),
               "no audit records");
  const auto each = [&](const AuditRecord& record) -> Result<void> {
    sink.add(
        [&] {
          return std::vector{std::to_string(record.id), to_iso8601(record.time), record.event,
                             record.detail};
        },
        [&] { return to_json(record); });
    return {};
  };
  ASSIGN_OR_RETURN(const auto all, reader->for_each_audit(filter, each));
  if (all == 0 && !filter.event.empty()) TRY(warn_of_unknown_event(*reader, filter.event));
  sink.finish(left_out(filter, all));
  return ExitCode::ok;
}

// What earlier versions did not write down cannot be proven.
void tell_uncovered(const LedgerVerdict& verdict) {
  const auto tell = [](std::int64_t count, const char* what) {
    if (count > 0) print_line(std::to_string(count) + what);
  };
  tell(verdict.certificates_by_serial,
       " certificates have records of an earlier version: compared by serial number, subject and "
       "revocation only");
  tell(verdict.secrets_by_name,
       " secrets have records of an earlier version: compared by their names only");
  tell(verdict.transactions_without_record,
       " transactions were opened under an earlier version, whose records do not cover them");
}

json to_json(const LedgerVerdict& verdict, const AuditHead& head, json differences) {
  json value = {{"records", head.id}, {"head", to_hex(head.hash)}};
  value["broken_at"] = verdict.broken_at ? json(*verdict.broken_at) : json();
  value["compared"] = {{"certificates", verdict.certificates},
                       {"secrets", verdict.secrets},
                       {"transactions", verdict.transactions}};
  value["not_covered"] = {{"certificates", verdict.certificates_by_serial},
                          {"secrets", verdict.secrets_by_name},
                          {"transactions", verdict.transactions_without_record}};
  value["differences"] = verdict.differences;
  value["different"] = std::move(differences);
  return value;
}

void tell_verdict(const LedgerVerdict& verdict, const AuditHead& head) {
  if (!verdict.broken_at) {
    print_line("all " + std::to_string(head.id) + " audit records fit; the newest hash is " +
               to_hex(head.hash));
    print_line("compared with them: " + std::to_string(verdict.certificates) + " certificates, " +
               std::to_string(verdict.secrets) + " secrets, " +
               std::to_string(verdict.transactions) + " transactions");
    tell_uncovered(verdict);
  }
}

Result<ExitCode> verify(const CommonOptions& common) {
  constexpr std::size_t kMostInJson = 1000;
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  auto differences = json::array();
  ASSIGN_OR_RETURN(const auto verdict, verify_ledger(*reader, [&](const std::string& text) {
                     if (!common.json) return print_line(text);
                     if (differences.size() < kMostInJson) differences.push_back(text);
                   }));
  ASSIGN_OR_RETURN(const auto head, reader->audit_head());
  if (common.json) {
    print_json(to_json(verdict, head, std::move(differences)));
  } else if (!common.quiet) {
    tell_verdict(verdict, head);
  }
  if (verdict.broken_at) {
    return hold("audit record " + std::to_string(*verdict.broken_at) + " does not fit the chain",
                "it or one before it was changed or removed; compare with a backup");
  }
  if (verdict.differences == 0) return ExitCode::ok;
  return hold(
      "the ledger differs from its audit records in " + std::to_string(verdict.differences) +
          " places",
      "somebody has changed the database by hand, or it was damaged; compare with a backup, "
      "and issue no CRL before that");
}

}  // namespace

void add_audit(CommandLine line) {
  auto* audit = line.app.add_subcommand("audit", "the hash-chained record of all decisions");
  audit->require_subcommand(1);
  auto options = std::make_shared<AuditOptions>();
  auto* common = &line.options;
  auto* showing = audit->add_subcommand("show", "records, oldest first");
  showing->add_option("--after", options->after, "only records with a larger number");
  options->list.offer(*showing, {.filters = {FilterBy::time, FilterBy::event}});
  showing->add_option("--text", options->list.filter.reason,
                      "part of the detail: a name, a serial number, a transactionID");
  showing->callback([=] { line.action = [=] { return show(*options, *common); }; });
  audit->add_subcommand("verify", "recompute the whole chain and compare the ledger with it")
      ->callback([=] { line.action = [=] { return verify(*common); }; });
}

}  // namespace cmpost
