#include "processor/runs/stored_facts.h"

#include <nlohmann/json.hpp>

namespace nlohmann {

template <typename T>
struct adl_serializer<std::optional<T>> {
  static void to_json(json& to, const std::optional<T>& value) {
    value ? to = *value : to = nullptr;
  }
  static void from_json(const json& from, std::optional<T>& value) {
    value = from.is_null() ? std::nullopt : std::optional<T>(from.get<T>());
  }
};

template <>
struct adl_serializer<cmpost::Time> {
  static void to_json(json& to, const cmpost::Time& time) { to = cmpost::to_unix_micros(time); }
  static void from_json(const json& from, cmpost::Time& time) {
    time = cmpost::from_unix_micros(from.get<std::int64_t>());
  }
};

}  // namespace nlohmann

namespace cmpost {

using nlohmann::json;

// NOLINTBEGIN: names that the library gives. What an older version has not known is as it is in
// an empty report.
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(RunCounts, of)

void to_json(json& to, const RunEnd& end) { to = std::string(to_string(end)); }
void from_json(const json& from, RunEnd& end) {
  const auto known = run_end(from.get<std::string>());
  end = known.value_or(RunEnd::failed);
}

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(RunFacts::Audit, first, last, hash)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(RunFacts::Crl, number, this_update, next_update)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(RunFacts::Channel, name, kind, counts, trouble)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(RunFacts::Past, number, started, end, counts)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(
    RunFacts, number, name, instance, role, version, settings, who, end, why, hint, continues,
    planned, started, ended, resumed, counts, follow_ups, unlisted, waiting_above, still_waiting,
    held_before, undecided_before, sent, still_to_send, for_the_courier, not_sendable, issued,
    revoked, first_serial, last_serial, audit, crl, ends, profiles, channels, hours, reasons,
    before, next_run, expiring)
// NOLINTEND

std::string stored_facts(const RunFacts& facts) {
  return json(facts).dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<RunFacts> parse_facts(std::string_view text) {
  try {
    const auto facts = json::parse(text);
    (void)facts.at("number");  // which run it is no version leaves out
    return facts.get<RunFacts>();
  } catch (const json::exception& error) {
    return hold(std::string("the facts of a run are not readable in the ledger: ") + error.what(),
                "restore the ledger from a backup");
  }
}

}  // namespace cmpost
