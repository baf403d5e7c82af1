#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "app/channel_condition.h"
#include "app/clock_notes.h"
#include "app/command.h"
#include "app/instance.h"
#include "app/lifetimes.h"
#include "app/output.h"
#include "app/restore.h"
#include "processor/transaction_table.h"
#include "processor/wait_table.h"

namespace cmpost {
namespace {

using nlohmann::json;

json to_json(const QueueCounts& counts) {
  json value = {{"waiting", counts.waiting},
                {"active", counts.active},
                {"deferred", counts.deferred},
                {"held", counts.held},
                {"done", counts.done}};
  value["oldest"] = counts.oldest ? json(to_iso8601(*counts.oldest)) : json();
  return value;
}

void add_row(Table& table, const std::string& name, const QueueCounts& counts, Time now) {
  table.add({name, std::to_string(counts.waiting), std::to_string(counts.active),
             std::to_string(counts.deferred), std::to_string(counts.held),
             std::to_string(counts.done), counts.oldest ? in_words(now - *counts.oldest) : "-"});
}

struct Status {
  QueueCounts requests, replies;
  std::int64_t certificates = 0;
  Certificate ca;
  std::optional<CertificateList> crl;
  std::vector<LifetimeWarning> warnings;
  TransactionTable::Ageing ageing;
  WaitTable::Backlog undecided;
};

// what has stood still for how long, in each direction.
json to_json(const TransactionTable::Ageing& ageing, const WaitTable::Backlog& undecided) {
  const auto time = [](const std::optional<Time>& at) {
    return at ? json(to_iso8601(*at)) : json();
  };
  return {{"undecided", undecided.undecided}, {"oldest_undecided", time(undecided.oldest)},
          {"waiting", ageing.waiting},        {"oldest_waiting", time(ageing.oldest_waiting)},
          {"unconfirmed", ageing.open},       {"oldest_unconfirmed", time(ageing.oldest_open)},
          {"alarms", ageing.alarms}};
}

std::string age_of(const std::optional<Time>& oldest, Time now) {
  return oldest ? ", the oldest for " + in_words(now - *oldest) : "";
}

void print(const TransactionTable::Ageing& ageing, const WaitTable::Backlog& undecided, Time now) {
  print_line("transactions: " + std::to_string(ageing.waiting) + " waiting" +
             age_of(ageing.oldest_waiting, now) + " (" + std::to_string(undecided.undecided) +
             " for a decision" + age_of(undecided.oldest, now) + "), " +
             std::to_string(ageing.open) + " not confirmed" + age_of(ageing.oldest_open, now));
  if (ageing.alarms > 0) {
    print_line("URGENT: " + std::to_string(ageing.alarms) +
               " transactions were not confirmed in time; see `cmpost transaction list --state "
               "open`");
  }
}

Result<Status> gather(Instance& instance) {
  ASSIGN_OR_RETURN(const auto spool, instance.look_into_spool());
  ASSIGN_OR_RETURN(const auto reader, instance.look_into_ledger());
  ASSIGN_OR_RETURN(const auto* const authority, instance.authority());
  Status status{{}, {}, 0, authority->issuer.certificate(), {}, {}, {}, {}};
  ASSIGN_OR_RETURN(status.requests, spool->requests().counts());
  ASSIGN_OR_RETURN(status.replies, spool->replies().counts());
  ASSIGN_OR_RETURN(status.certificates, reader->count());
  ASSIGN_OR_RETURN(const auto newest, reader->newest_crl());
  if (newest) {
    ASSIGN_OR_RETURN(status.crl, CertificateList::from_der(newest->second));
  }
  ASSIGN_OR_RETURN(status.ageing, TransactionTable(reader->connection()).ageing());
  ASSIGN_OR_RETURN(status.undecided, WaitTable(reader->connection()).backlog());
  // First: they tell the instance what time it is.
  ASSIGN_OR_RETURN(const auto clock, find_clock_notes(instance));
  for (const auto& note : clock) status.warnings.push_back({"the clock", note.text, note.urgent});
  ASSIGN_OR_RETURN(auto ending, find_lifetime_warnings(instance));
  std::ranges::move(ending, std::back_inserter(status.warnings));
  ASSIGN_OR_RETURN(const auto behind, find_newer_crl(instance));
  if (behind) status.warnings.push_back({"the ledger", behind->what + "; " + behind->hint, true});
  return status;
}

json to_json(const Status& status, const Settings& settings) {
  json value = {
      {"instance", settings.instance.name},
      {"requests", to_json(status.requests)},
      {"replies", to_json(status.replies)},
      {"certificates", status.certificates},
      {"transactions", to_json(status.ageing, status.undecided)},
      {"ca",
       {{"subject", status.ca.subject().text()}, {"notAfter", to_iso8601(status.ca.not_after())}}}};
  if (status.crl) {
    value["crl"] = {{"number", status.crl->crlNumber.value_or(0)},
                    {"entries", status.crl->revokedCertificates.size()},
                    {"thisUpdate", to_iso8601(status.crl->thisUpdate)}};
    if (status.crl->nextUpdate) value["crl"]["nextUpdate"] = to_iso8601(*status.crl->nextUpdate);
  }
  value["channels"] = json::array();
  for (const auto& channel : settings.channels) {
    value["channels"].push_back({{"name", channel.name},
                                 {"kind", to_string(channel.kind)},
                                 {"notes", condition_of(channel)}});
  }
  value["warnings"] = json::array();
  for (const auto& warning : status.warnings) value["warnings"].push_back(warning.text);
  return value;
}

void print(const Status& status, const Settings& settings, Time now) {
  print_line("instance " + settings.instance.name + ", CA " + status.ca.subject().text() +
             ", valid until " + to_iso8601(status.ca.not_after()));
  Table queues({"queue", "waiting", "active", "deferred", "held", "done", "oldest"});
  add_row(queues, "requests", status.requests, now);
  add_row(queues, "replies", status.replies, now);
  queues.print("");
  print(status.ageing, status.undecided, now);
  print_line("certificates in the ledger: " + std::to_string(status.certificates));
  if (status.crl) {
    print_line(
        "CRL number " + std::to_string(status.crl->crlNumber.value_or(0)) + " with " +
        std::to_string(status.crl->revokedCertificates.size()) + " entries" +
        (status.crl->nextUpdate ? ", next one due " + to_iso8601(*status.crl->nextUpdate) : ""));
  }
  for (const auto& channel : settings.channels) {
    print_line("channel " + channel.name + " (" + std::string(to_string(channel.kind)) +
               "): " + channel.directory.in + " -> " + channel.directory.out);
    for (const auto& text : condition_of(channel)) print_line("  " + text);
  }
  for (const auto& warning : status.warnings) {
    print_line((warning.urgent ? "URGENT: " : "warning: ") + warning.text);
  }
}

Result<ExitCode> status(const CommonOptions& options) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(options));
  ASSIGN_OR_RETURN(const auto gathered, gather(*instance));
  if (options.json) {
    print_json(to_json(gathered, instance->settings()));
  } else {
    print(gathered, instance->settings(), instance->clock().now());
  }
  return ExitCode::ok;
}

}  // namespace

void add_status(CommandLine line) {
  auto* command = line.app.add_subcommand("status", "queues, CA and CRL lifetime, channels");
  command->callback([line] { line.action = [common = &line.options] { return status(*common); }; });
}

}  // namespace cmpost
