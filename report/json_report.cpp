#include "report/json_report.h"

#include <nlohmann/json.hpp>

namespace cmpost {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;

std::string dumped(const Json& value, int indent) {
  return value.dump(indent, ' ', true, Json::error_handler_t::replace);
}

Json json_of(const RunCounts& counts) {
  Json value = Json::object();
  for (std::size_t i = 0; i < kItemResults; ++i) {
    const auto result = static_cast<ItemResult>(i);
    value[std::string(to_string(result))] = counts[result];
  }
  return value;
}

Json json_of(const std::optional<Time>& time) {
  return time ? Json(to_iso8601(*time)) : Json(nullptr);
}

Json json_of(const RunFacts::Channel& channel) {
  return {{"name", channel.name},
          {"kind", channel.kind},
          {"counts", json_of(channel.counts)},
          {"trouble", channel.trouble}};
}

Json json_of(const RunFacts::Past& past) {
  return {{"number", past.number},
          {"started", to_iso8601(past.started)},
          {"end", to_string(past.end)},
          {"counts", json_of(past.counts)}};
}

Json json_of(const std::optional<RunFacts::Crl>& crl) {
  if (!crl) return nullptr;
  return {{"number", crl->number},
          {"thisUpdate", to_iso8601(crl->this_update)},
          {"nextUpdate", to_iso8601(crl->next_update)}};
}

Json json_of(const RunFacts::Audit& audit) {
  return {{"first", audit.first}, {"last", audit.last}, {"hash", audit.hash}};
}

Json json_of(const ToDo& entry) {
  return {{"task", to_string(entry.task)},
          {"light", to_string(entry.light)},
          {"what", entry.what},
          {"how", entry.how},
          {"commands", entry.commands}};
}

template <typename Values, typename Of>
Json list_of(const Values& values, const Of& of) {
  Json list = Json::array();
  for (const auto& value : values) list.push_back(of(value));
  return list;
}

Json json_of(const Headline& first) {
  return {{"sentence", first.sentence},
          {"light", to_string(first.light)},
          {"because", first.because},
          {"toDo", list_of(first.what_to_do, [](const ToDo& entry) { return json_of(entry); })}};
}

void add_run(Json& value, const RunFacts& facts) {
  value["number"] = facts.number;
  value["name"] = facts.name;
  value["instance"] = facts.instance;
  value["role"] = facts.role;
  value["version"] = facts.version;
  value["settings"] = facts.settings;
  value["who"] = facts.who;
  value["end"] = to_string(facts.end);
  value["why"] = facts.why;
  value["hint"] = facts.hint;
  value["continues"] = facts.continues ? Json(*facts.continues) : Json(nullptr);
  value["planned"] = json_of(facts.planned);
  value["started"] = to_iso8601(facts.started);
  value["ended"] = to_iso8601(facts.ended);
  value["resumed"] = facts.resumed;
}

void add_numbers(Json& value, const RunFacts& facts) {
  value["counts"] = json_of(facts.counts);
  value["waitingAbove"] = facts.waiting_above;
  value["followUps"] = facts.follow_ups;
  value["unlisted"] = facts.unlisted;
  value["stillWaiting"] = facts.still_waiting;
  value["heldBefore"] = facts.held_before;
  value["undecidedBefore"] = facts.undecided_before;
  value["sent"] = facts.sent;
  value["stillToSend"] = facts.still_to_send;
  value["forTheCourier"] = facts.for_the_courier;
  value["notSendable"] = facts.not_sendable;
  value["issued"] = facts.issued;
  value["revoked"] = facts.revoked;
  value["firstSerial"] = facts.first_serial;
  value["lastSerial"] = facts.last_serial;
}

void add_state(Json& value, const RunFacts& facts) {
  value["audit"] = json_of(facts.audit);
  value["crl"] = json_of(facts.crl);
  value["ends"] = list_of(facts.ends, [](const auto& end) {
    return Json{{"what", end.first}, {"at", to_iso8601(end.second)}};
  });
  value["profiles"] = list_of(facts.profiles, [](const auto& profile) {
    return Json{{"name", profile.first}, {"sha256", profile.second}};
  });
  value["nextRun"] = json_of(facts.next_run);
}

void add_charts(Json& value, const RunFacts& facts) {
  value["channels"] =
      list_of(facts.channels, [](const RunFacts::Channel& one) { return json_of(one); });
  value["hours"] = list_of(facts.hours, [](const auto& hour) {
    return Json{{"from", to_iso8601(hour.first)}, {"counts", json_of(hour.second)}};
  });
  value["reasons"] = list_of(facts.reasons, [](const auto& reason) {
    return Json{{"reason", reason.first}, {"count", reason.second}};
  });
  value["before"] = list_of(facts.before, [](const RunFacts::Past& past) { return json_of(past); });
  value["expiring"] = facts.expiring;
}

Json json_of(const RunFacts& facts) {
  Json value = Json::object();
  add_run(value, facts);
  add_numbers(value, facts);
  add_state(value, facts);
  add_charts(value, facts);
  return value;
}

Json json_of(const RunItem& item) {
  return {{"at", to_iso8601(item.at)},
          {"result", to_string(item.result)},
          {"channel", item.channel},
          {"source", item.source},
          {"transactionID", item.transactionID},
          {"body", item.body},
          {"requester", item.requester},
          {"subject", item.subject},
          {"serials", item.serials},
          {"profile", item.profile},
          {"reason", item.reason}};
}

}  // namespace

Result<void> print_json_report(const RunFacts& facts, const Headline& first, const RunItems& items,
                               const ReportSink& put) {
  TRY(put("{\"format\": " + std::to_string(kFormat) +
          ",\n\"headline\": " + dumped(json_of(first), 1) +
          ",\n\"facts\": " + dumped(json_of(facts), 1) + ",\n\"items\": ["));
  bool any = false;
  TRY(items([&](const RunItem& item) {
    return put((std::exchange(any, true) ? ",\n" : "\n") + dumped(json_of(item), -1));
  }));
  return put(any ? "\n]}\n" : "]}\n");
}

}  // namespace cmpost
