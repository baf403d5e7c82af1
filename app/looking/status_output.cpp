#include "app/looking/status_output.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/terminal/output.h"

namespace cmpost {
namespace {

using nlohmann::json;

json time_or_null(const std::optional<Time>& at) { return at ? json(to_iso8601(*at)) : json(); }

json to_json(const std::optional<QueueStatus>& queue) {
  if (!queue) return {};
  const auto& counts = queue->counts;
  json value = {{"waiting", counts.waiting},   {"active", counts.active},
                {"deferred", counts.deferred}, {"held", counts.held},
                {"hanging", queue->hanging},   {"done", counts.done}};
  value["oldest"] = counts.oldest ? json(to_iso8601(*counts.oldest)) : json();
  return value;
}

void add_row(Table& table, const std::string& name, const std::optional<QueueStatus>& queue,
             Time now) {
  if (!queue) return table.add({name, "?", "?", "?", "?", "?", "?"});
  const auto& counts = queue->counts;
  table.add({name, std::to_string(counts.waiting), std::to_string(counts.active),
             std::to_string(counts.deferred), std::to_string(counts.held),
             std::to_string(counts.done), counts.oldest ? in_words(now - *counts.oldest) : "-"});
}

// what has stood still for how long, in each direction.
json to_json(const TransactionTable::Ageing& ageing, const WaitTable::Backlog& undecided) {
  return {{"undecided", undecided.undecided},
          {"unlisted", undecided.unlisted},
          {"oldest_undecided", time_or_null(undecided.oldest)},
          {"waiting", ageing.waiting},
          {"oldest_waiting", time_or_null(ageing.oldest_waiting)},
          {"unconfirmed", ageing.open},
          {"oldest_unconfirmed", time_or_null(ageing.oldest_open)},
          {"alarms", ageing.alarms}};
}

std::string age_of(const std::optional<Time>& oldest, Time now) {
  return oldest ? ", the oldest for " + in_words(now - *oldest) : "";
}

void print(const TransactionTable::Ageing& ageing, const WaitTable::Backlog& undecided, Time now) {
  print_line("transactions: " + std::to_string(ageing.waiting) + " waiting" +
             age_of(ageing.oldest_waiting, now) + " (" + std::to_string(undecided.undecided) +
             " for a decision" + age_of(undecided.oldest, now) +
             (undecided.unlisted > 0
                  ? ", " + std::to_string(undecided.unlisted) + " for a row in the list of devices"
                  : "") +
             "), " + std::to_string(ageing.open) + " not confirmed" +
             age_of(ageing.oldest_open, now));
}

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

json channels_json(const Status& status) {
  auto channels = json::array();
  if (status.settings == nullptr) return channels;
  for (const auto& channel : status.settings->channels) {
    const auto known = std::ranges::find(status.work.channels, channel.name, &ChannelStatus::name);
    auto notes = json::array();
    for (const auto& finding : status.findings.of_channel(channel.name)) {
      notes.push_back(finding.text);
    }
    json value = {{"name", channel.name}, {"kind", channel.kind()}, {"notes", std::move(notes)}};
    for (const auto& [way, state] : known->ways)
      value[std::string(to_string(way))] = to_json(state);
    channels.push_back(std::move(value));
  }
  return channels;
}

json crl_json(const CertificateList& crl) {
  json value = {{"number", crl.crlNumber.value_or(0)},
                {"entries", crl.revokedCertificates.size()},
                {"thisUpdate", to_iso8601(crl.thisUpdate)}};
  if (crl.nextUpdate) value["nextUpdate"] = to_iso8601(*crl.nextUpdate);
  return value;
}

json upstream_json(const UpstreamTable::Backlog& backlog,
                   const std::vector<UpstreamTable::OnChannel>& channels) {
  json value = {{"collected", backlog.collected},
                {"unanswered", backlog.messages - backlog.collected},
                {"oldest", json()}};
  if (backlog.oldest) value["oldest"] = to_iso8601(*backlog.oldest);
  value["channels"] = json::array();
  for (const auto& one : channels) {
    value["channels"].push_back(
        {{"name", one.channel}, {"messages", one.messages}, {"oldest", to_iso8601(one.oldest)}});
  }
  return value;
}

json warnings_json(const Remarks& findings) {
  auto warnings = json::array();
  for (const auto& finding : findings.all()) {
    if (finding.severity == Severity::note) continue;
    const auto hint = finding.hint.empty() ? "" : "; " + finding.hint;
    warnings.push_back(to_string(finding) + hint);
  }
  return warnings;
}

void print_service(const WorkStatus& work) {
  if (work.stages.empty()) return print_line("service: not known");
  std::string running, not_known;
  for (const auto stage : kStages) {
    const std::string name(to_string(stage));
    const auto known = work.stages.find(stage);
    if (known == work.stages.end()) {
      not_known += ", " + name + " not known";
    } else if (const auto& life = known->second; life && life->running) {
      running += (running.empty() ? "" : ", ") + name + " (pid " + std::to_string(life->pid) + ")";
    }
  }
  print_line("service: " + (running.empty() ? "none is running" : running) + not_known);
}

std::string way_in_words(const ChannelStatus& channel, Way way, Time now) {
  const auto known = channel.ways.find(way);
  const auto text = std::string(to_string(way)) + " ";
  if (known == channel.ways.end()) return text + "not known";
  const auto& state = known->second;
  if (!state) return text + "never tried";
  return text + std::string(to_string(state->condition)) + ", last try " +
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
    print_line("channel " + channel.name + " (" + std::string(channel.kind()) + "): " +
               way_in_words(*known, Way::in, now) + "; " + way_in_words(*known, Way::out, now));
    for (const auto& finding : status.findings.of_channel(channel.name)) {
      print(finding, "  ", false);
    }
  }
}

void print(const UpstreamTable::Backlog& backlog, Time now) {
  print_line("asked of the CA above and not answered: " +
             std::to_string(backlog.messages - backlog.collected) +
             ", to leave in a batch: " + std::to_string(backlog.collected) +
             (backlog.oldest ? "; the oldest since " + in_words(now - *backlog.oldest) : ""));
}

void print_crl(const CertificateList& crl) {
  print_line("CRL number " + std::to_string(crl.crlNumber.value_or(0)) + " with " +
             std::to_string(crl.revokedCertificates.size()) + " entries" +
             (crl.nextUpdate ? ", next one due " + to_iso8601(*crl.nextUpdate) : ""));
}

void print_numbers(const Status& status, Time now) {
  print_service(status.work);
  Table queues({"queue", "waiting", "active", "deferred", "held", "done", "oldest"});
  add_row(queues, "requests", status.jobs.requests, now);
  add_row(queues, "replies", status.jobs.replies, now);
  queues.print("");
  if (status.ageing && status.undecided) print(*status.ageing, *status.undecided, now);
  if (status.upstream) print(*status.upstream, now);
  for (const auto& one : status.on_channels) {
    print_line("  by channel " + printable(one.channel) + ": " + std::to_string(one.messages) +
               ", the oldest since " + in_words(now - one.oldest));
  }
  if (status.certificates) {
    print_line("certificates in the ledger: " + std::to_string(*status.certificates));
  }
  if (status.crl) print_crl(*status.crl);
}

}  // namespace

json to_json(const Status& status) {
  json value = {{"instance", status.settings ? json(status.settings->instance.name) : json()},
                {"requests", to_json(status.jobs.requests)},
                {"replies", to_json(status.jobs.replies)},
                {"certificates", status.certificates ? json(*status.certificates) : json()},
                {"transactions", json()},
                {"ca", json()},
                {"exit_code", static_cast<int>(status.findings.exit_code())},
                {"channels", channels_json(status)},
                {"service", json::object()},
                {"parts", json::object()},
                {"disks", json::array()},
                {"findings", to_json(status.findings)},
                {"warnings", warnings_json(status.findings)}};
  if (status.ageing && status.undecided) {
    value["transactions"] = to_json(*status.ageing, *status.undecided);
  }
  if (status.ca) {
    value[status.settings->ra ? "ra" : "ca"] = {{"subject", status.ca->subject().text()},
                                                {"notAfter", to_iso8601(status.ca->not_after())}};
  }
  if (status.upstream) value["upstream"] = upstream_json(*status.upstream, status.on_channels);
  if (status.crl) value["crl"] = crl_json(*status.crl);
  for (const auto& [stage, life] : status.work.stages) {
    value["service"][std::string(to_string(stage))] = to_json(life);
  }
  for (const auto& [part, state] : status.work.parts) {
    value["parts"][std::string(to_string(part))] = to_json(state);
  }
  for (const auto& disk : status.work.disks) {
    value["disks"].push_back({{"path", disk.path}, {"free", disk.free}, {"mark", disk.mark}});
  }
  return value;
}

void print(const Status& status, Time now) {
  if (status.settings != nullptr) {
    const auto ca = status.ca ? std::string(status.settings->ra ? ", RA " : ", CA ") +
                                    status.ca->subject().text() + ", valid until " +
                                    to_iso8601(status.ca->not_after())
                              : std::string();
    print_line("instance " + status.settings->instance.name + ca);
    print_numbers(status, now);
    print_channels(status, *status.settings, now);
  }
  for (const auto& finding : status.findings.all()) {
    if (!finding.subject.channel) print(finding, "", true);
  }
}

}  // namespace cmpost
