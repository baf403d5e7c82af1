#include "carrier/way_state.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/files.h"
#include "base/log.h"
#include "base/presence.h"
#include "carrier/sign.h"

namespace cmpost {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr std::size_t kLargestRecord = std::size_t{1} << 20U;
constexpr std::size_t kMostNamed = 20;
constexpr std::size_t kLongestText = 1000;
// A look that changes nothing is noted this often.
constexpr Duration kRefresh = 1min;

json way_time(const std::optional<Time>& time) {
  return time ? json(to_unix_micros(*time)) : json();
}

std::string text_for_record(const std::string& text) { return printable(text, kLongestText); }

json way_json(const WayState& state) {
  json inputs = json::array();
  for (const auto& [input, since, again] : state.inputs) {
    inputs.push_back({{"what", text_for_record(input.what)},
                      {"why", text_for_record(input.why)},
                      {"tries", input.tries},
                      {"since", way_time(since)},
                      {"again", way_time(again)}});
  }
  return {{"condition", to_string(state.condition)},
          {"since", way_time(state.since)},
          {"last_try", way_time(state.last_try)},
          {"why", text_for_record(state.why)},
          {"hint", text_for_record(state.hint)},
          {"until", way_time(state.until)},
          {"tries", state.tries},
          {"stuck", state.stuck},
          {"inputs", std::move(inputs)},
          {"without_request", state.without_request},
          {"oldest_without_request", way_time(state.oldest_without_request)}};
}

std::optional<Time> time_in(const json& value, const char* key) {
  const auto& at = value.at(key);
  return at.is_null() ? std::nullopt : std::optional(from_unix_micros(at.get<std::int64_t>()));
}

std::optional<WayCondition> condition_named(std::string_view text) {
  for (const auto condition : {WayCondition::works, WayCondition::rests}) {
    if (text == to_string(condition)) return condition;
  }
  return std::nullopt;
}

// Throws json::exception. nullopt: a condition of which this version knows nothing.
std::optional<WayState> way_from(const json& value) {
  WayState state;
  const auto condition = condition_named(value.at("condition").get<std::string>());
  if (!condition) return std::nullopt;
  state.condition = *condition;
  state.since = time_in(value, "since").value_or(Time{});
  state.last_try = time_in(value, "last_try").value_or(Time{});
  state.why = value.at("why").get<std::string>();
  state.hint = value.at("hint").get<std::string>();
  state.until = time_in(value, "until");
  state.tries = value.at("tries").get<int>();
  state.stuck = value.at("stuck").get<std::size_t>();
  for (const auto& one : value.at("inputs")) {
    state.inputs.push_back({{one.at("what").get<std::string>(), one.at("why").get<std::string>(),
                             one.at("tries").get<int>(), std::nullopt},
                            time_in(one, "since").value_or(Time{}),
                            time_in(one, "again")});
  }
  state.without_request = value.at("without_request").get<std::size_t>();
  state.oldest_without_request = time_in(value, "oldest_without_request");
  return state;
}

std::optional<WayState> way_in(std::string_view text) {
  try {
    return way_from(json::parse(text));
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

Time since_when(const std::vector<StuckSince>& before, const StuckInput& input, Time now) {
  const auto known = std::ranges::find_if(before, [&](const StuckSince& one) {
    return one.input.what == text_for_record(input.what) &&
           one.input.why == text_for_record(input.why);
  });
  return known == before.end() ? now : known->since;
}

bool same_but_times(const WayState& a, const WayState& b) {
  return a.condition == b.condition && a.since == b.since && a.stuck == b.stuck &&
         a.without_request == b.without_request &&
         std::ranges::equal(a.inputs, b.inputs, [](const StuckSince& one, const StuckSince& other) {
           return one.since == other.since && one.input.tries == other.input.tries &&
                  one.input.what == other.input.what;
         });
}

}  // namespace

std::string_view to_string(Way way) {
  switch (way) {
    case Way::in:
      return "in";
    case Way::out:
      return "out";
  }
  CHECK(false);
}

std::string_view to_string(WayCondition condition) {
  switch (condition) {
    case WayCondition::works:
      return "works";
    case WayCondition::rests:
      return "rests";
  }
  CHECK(false);
}

std::string_view to_string(Part part) {
  switch (part) {
    case Part::requests:
      return "requests";
    case Part::ledger:
      return "ledger";
    case Part::replies:
      return "replies";
    case Part::maintenance:
      return "maintenance";
  }
  CHECK(false);
}

std::string record_of(const std::string& directory, Way way) {
  return directory + "/" + std::string(to_string(way)) + ".state";
}

std::string record_of(const std::string& directory, Part part) {
  return directory + "/.service/" + std::string(to_string(part)) + ".state";
}

Result<std::optional<WayState>> read_way(const std::string& path) {
  ASSIGN_OR_RETURN(const auto octets, read_if_there(path, kLargestRecord));
  if (!octets) return std::nullopt;
  auto state = way_in(text_of(*octets));
  if (state) return state;
  return hold(path + " is not what this program writes there",
              "remove it; the service writes it anew");
}

void WayRecorder::begin() {
  if (std::exchange(begun_, true) || record_.empty()) return;
  auto known = read_way(record_);
  if (!known || !*known) return;
  state_ = std::move(**known);
  known_ = true;
}

void WayRecorder::works(const LookedAt& found) {
  begin();
  const auto now = wall_.now();
  WayState next;
  next.last_try = now;
  next.since = known_ && state_.condition == WayCondition::works ? state_.since : now;
  next.stuck = found.stuck.size();
  for (const auto& input : found.stuck) {
    if (next.inputs.size() == kMostNamed) break;
    const auto again = input.rests_for ? std::optional(now + *input.rests_for) : std::nullopt;
    next.inputs.push_back({input, since_when(state_.inputs, input, now), again});
  }
  next.without_request = found.without_request;
  if (next.without_request > 0) {
    next.oldest_without_request = state_.oldest_without_request.value_or(now);
  }
  const bool recent = now >= state_.last_try && now - state_.last_try < kRefresh;
  if (known_ && recent && same_but_times(state_, next)) return;
  state_ = std::move(next);
  write();
}

// What is stuck stays on record: nobody could look whether it still is.
void WayRecorder::rests(const Error& trouble, std::optional<Duration> pause) {
  begin();
  const auto now = wall_.now();
  const bool goes_on = known_ && state_.condition == WayCondition::rests;
  if (!goes_on) {
    state_.since = now;
    state_.tries = 0;
  }
  state_.condition = WayCondition::rests;
  state_.last_try = now;
  state_.why = trouble.what;
  state_.hint = trouble.hint;
  state_.until = pause ? std::optional(now + *pause) : std::nullopt;
  ++state_.tries;
  write();
}

void WayRecorder::write() {
  known_ = true;
  if (record_.empty()) return;
  const auto text = way_json(state_).dump(-1, ' ', true, json::error_handler_t::replace);
  const auto done = write_sign(record_, text);
  if (done.has_value() == was_written_) return;
  was_written_ = done.has_value();
  if (!done) {
    log::warning("state.not_written", {{"file", record_}, {"reason", to_string(done.error())}});
  }
}

WayRecorder& WayBook::of(const std::string& channel, Way way) {
  return at(record_of(directory_ + "/" + channel, way));
}

WayRecorder& WayBook::of(Part part) { return at(record_of(directory_, part)); }

WayRecorder& WayBook::at(const std::string& record) {
  const MutexLock lock(mutex_);
  auto& recorder = recorders_[record];
  if (!recorder) {
    recorder = std::make_unique<WayRecorder>(directory_.empty() ? std::string() : record, wall_);
  }
  return *recorder;
}

}  // namespace cmpost
