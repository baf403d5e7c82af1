#include <nlohmann/json.hpp>

#include "app/command.h"
#include "app/inspection.h"
#include "app/instance.h"
#include "app/output.h"
#include "processor/transaction/transaction_table.h"
#include "processor/transaction/wait_table.h"

namespace cmpost {
namespace {

using nlohmann::json;

// Of the answers in the spool: a look that is cheap enough to be made every minute.
constexpr std::size_t kNewestAnswers = 1000;

json to_json(const QueueStatus& queue) {
  const auto& counts = queue.counts;
  json value = {{"waiting", counts.waiting},   {"active", counts.active},
                {"deferred", counts.deferred}, {"held", counts.held},
                {"hanging", queue.hanging},    {"done", counts.done}};
  value["oldest"] = counts.oldest ? json(to_iso8601(*counts.oldest)) : json();
  return value;
}

void add_row(Table& table, const std::string& name, const QueueCounts& counts, Time now) {
  table.add({name, std::to_string(counts.waiting), std::to_string(counts.active),
             std::to_string(counts.deferred), std::to_string(counts.held),
             std::to_string(counts.done), counts.oldest ? in_words(now - *counts.oldest) : "-"});
}

struct Status {
  explicit Status(Certificate authority) : ca(std::move(authority)) {}

  JobsStatus jobs;
  std::int64_t certificates = 0;
  Certificate ca;
  std::optional<CertificateList> crl;
  TransactionTable::Ageing ageing;
  WaitTable::Backlog undecided;
  WorkStatus work;
  Remarks findings;
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
}

Result<Status> gather(Instance& instance) {
  ASSIGN_OR_RETURN(const auto reader, instance.look_into_ledger());
  ASSIGN_OR_RETURN(auto certificate, instance.ca_certificate());
  Status status(std::move(certificate));
  look_at_clock(instance, status.findings);
  ASSIGN_OR_RETURN(status.jobs, look_at_jobs(instance, status.findings));
  ASSIGN_OR_RETURN(status.certificates, reader->count());
  ASSIGN_OR_RETURN(const auto newest, reader->newest_crl());
  if (newest) {
    ASSIGN_OR_RETURN(status.crl, CertificateList::from_der(newest->second));
  }
  ASSIGN_OR_RETURN(status.ageing, TransactionTable(reader->connection()).ageing());
  ASSIGN_OR_RETURN(status.undecided, WaitTable(reader->connection()).backlog());
  status.work = look_at_work(instance, status.findings);
  if (instance.may_not_read_keys()) {
    status.findings.add(
        {Severity::note,
         RemarkKind::credential,
         {},
         "this account may not read the keys: lifetimes and published CRLs were not "
         "looked at",
         "`cmpost check` by the account of the service looks at them",
         {}});
  } else {
    look_at_authority(instance, kNewestAnswers, status.findings);
  }
  return status;
}

json time_or_null(const std::optional<Time>& at) { return at ? json(to_iso8601(*at)) : json(); }

json to_json(const std::optional<WayState>& state) {
  if (!state) return {};
  auto inputs = json::array();
  for (const auto& [input, since, again] : state->inputs) {
    inputs.push_back({{"what", input.what},
                      {"why", input.why},
                      {"tries", input.tries},
                      {"since", to_iso8601(since)},
                      {"again", time_or_null(again)}});
  }
  return {{"state", to_string(state->condition)},
          {"since", to_iso8601(state->since)},
          {"last_try", to_iso8601(state->last_try)},
          {"until", time_or_null(state->until)},
          {"why", state->why},
          {"hint", state->hint},
          {"tries", state->tries},
          {"stuck", state->stuck},
          {"inputs", std::move(inputs)},
          {"without_request", state->without_request},
          {"oldest_without_request", time_or_null(state->oldest_without_request)}};
}

json to_json(const std::optional<Life>& life) {
  if (!life) return {};
  return {{"running", life->running},
          {"kind", life->batch ? "run" : "serve"},
          {"pid", life->pid},
          {"began", to_iso8601(life->began)},
          {"last", to_iso8601(life->last)},
          {"ended", time_or_null(life->ended)}};
}

json channels_json(const Status& status, const Settings& settings) {
  auto channels = json::array();
  for (const auto& channel : settings.channels) {
    const auto known = std::ranges::find(status.work.channels, channel.name, &ChannelStatus::name);
    auto notes = json::array();
    for (const auto& finding : status.findings.of_channel(channel.name)) {
      notes.push_back(finding.text);
    }
    channels.push_back({{"name", channel.name},
                        {"kind", to_string(channel.kind)},
                        {"in", to_json(known->in)},
                        {"out", to_json(known->out)},
                        {"notes", std::move(notes)}});
  }
  return channels;
}

json to_json(const Status& status, const Settings& settings) {
  json value = {
      {"instance", settings.instance.name},
      {"requests", to_json(status.jobs.requests)},
      {"replies", to_json(status.jobs.replies)},
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
  for (const auto& [stage, life] : status.work.stages) {
    value["service"][std::string(to_string(stage))] = to_json(life);
  }
  for (const auto& [part, state] : status.work.parts) {
    value["parts"][std::string(to_string(part))] = to_json(state);
  }
  value["channels"] = channels_json(status, settings);
  value["disks"] = json::array();
  for (const auto& disk : status.work.disks) {
    value["disks"].push_back({{"path", disk.path}, {"free", disk.free}, {"mark", disk.mark}});
  }
  value["findings"] = to_json(status.findings);
  value["warnings"] = json::array();
  for (const auto& finding : status.findings.all()) {
    if (finding.severity == Severity::note) continue;
    const auto hint = finding.hint.empty() ? "" : "; " + finding.hint;
    value["warnings"].push_back(to_string(finding) + hint);
  }
  return value;
}

void print_service(const WorkStatus& work) {
  std::string running;
  for (const auto& [stage, life] : work.stages) {
    if (life && life->running) {
      running += (running.empty() ? "" : ", ") + std::string(to_string(stage)) + " (pid " +
                 std::to_string(life->pid) + ")";
    }
  }
  print_line("service: " + (running.empty() ? "none is running" : running));
}

std::string way_in_words(const std::optional<WayState>& state, Time now) {
  if (!state) return "never tried";
  return std::string(to_string(state->condition)) + ", last try " +
         in_words(now - state->last_try) + " ago";
}

void print(const Remark& finding, const std::string& indent, bool with_subject) {
  const auto* before = finding.severity == Severity::error     ? "URGENT: "
                       : finding.severity == Severity::warning ? "warning: "
                                                               : "note: ";
  print_line(indent + before + (with_subject ? to_string(finding) : finding.text));
  if (!finding.hint.empty()) print_line(indent + "  " + finding.hint);
}

void print_channels(const Status& status, const Settings& settings, Time now) {
  for (const auto& channel : settings.channels) {
    const auto known = std::ranges::find(status.work.channels, channel.name, &ChannelStatus::name);
    print_line("channel " + channel.name + " (" + std::string(to_string(channel.kind)) + "): in " +
               way_in_words(known->in, now) + "; out " + way_in_words(known->out, now));
    for (const auto& finding : status.findings.of_channel(channel.name)) {
      print(finding, "  ", false);
    }
  }
}

void print(const Status& status, const Settings& settings, Time now) {
  print_line("instance " + settings.instance.name + ", CA " + status.ca.subject().text() +
             ", valid until " + to_iso8601(status.ca.not_after()));
  print_service(status.work);
  Table queues({"queue", "waiting", "active", "deferred", "held", "done", "oldest"});
  add_row(queues, "requests", status.jobs.requests.counts, now);
  add_row(queues, "replies", status.jobs.replies.counts, now);
  queues.print("");
  print(status.ageing, status.undecided, now);
  print_line("certificates in the ledger: " + std::to_string(status.certificates));
  if (status.crl) {
    print_line(
        "CRL number " + std::to_string(status.crl->crlNumber.value_or(0)) + " with " +
        std::to_string(status.crl->revokedCertificates.size()) + " entries" +
        (status.crl->nextUpdate ? ", next one due " + to_iso8601(*status.crl->nextUpdate) : ""));
  }
  print_channels(status, settings, now);
  for (const auto& finding : status.findings.all()) {
    if (!finding.subject.channel) print(finding, "", true);
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
  return gathered.findings.exit_code();
}

}  // namespace

void add_status(CommandLine line) {
  auto* command = line.app.add_subcommand("status", "queues, CA and CRL lifetime, channels");
  command->callback([line] { line.action = [common = &line.options] { return status(*common); }; });
}

}  // namespace cmpost
