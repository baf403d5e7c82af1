#include "processor/rulings/rule_record.h"

#include <algorithm>
#include <array>

#include "base/json_object.h"

namespace cmpost {
namespace {

constexpr std::array<std::string_view, 8> kOutcomes = {"approve", "one",     "two",     "reject",
                                                       "hold",    "channel", "unclear", "used up"};

void add_fact(RuleField field, const RuleFact& fact, JsonObject& object) {
  const auto key = to_string(field);
  if (const auto* text = std::get_if<std::string>(&fact)) {
    object.add(key, *text);
  } else if (const auto* number = std::get_if<std::int64_t>(&fact)) {
    object.add_number(key, *number);
  } else if (const auto* yes = std::get_if<bool>(&fact)) {
    object.add_json(key, *yes ? "true" : "false");
  } else if (const auto* unknown = std::get_if<UnknownFact>(&fact)) {
    object.add_json(key, JsonObject().add("unknown", unknown->why).text());
  } else {
    object.add_json(key, "null");
  }
}

void append(std::string& list, const std::string& item) {
  list += list.empty() ? "[" : ",";
  list += item;
}

std::string closed(std::string list) { return list.empty() ? "[]" : list + "]"; }

std::string conditions_json(const RuleSeen& rule, const std::optional<LimitSeen>& limit) {
  std::string list;
  for (const auto& one : rule.conditions) {
    append(list, JsonObject()
                     .add("when", to_string(one.field))
                     .add("wants", one.wants)
                     .add("saw", one.saw)
                     .add("match", to_string(one.match))
                     .text());
  }
  if (limit) {
    append(list, JsonObject()
                     .add("when", "limit")
                     .add("wants", limit->wants)
                     .add("saw", limit->saw)
                     .add("match", limit->left ? "yes" : "no")
                     .text());
  }
  return closed(std::move(list));
}

}  // namespace

std::string_view to_string(RuleOutcome outcome) {
  return kOutcomes.at(static_cast<std::size_t>(outcome));
}

std::optional<RuleOutcome> rule_outcome(std::string_view text) {
  const auto* const found = std::ranges::find(kOutcomes, text);
  if (found == kOutcomes.end()) return std::nullopt;
  return static_cast<RuleOutcome>(found - kOutcomes.begin());
}

RuleWording wording_of(const RuleSettings& rule) {
  auto text = rule.text();
  const auto digest = sha256(view_of(text));
  return {digest, rule.name, std::move(text)};
}

std::int64_t day_number(Time time) {
  return std::chrono::floor<std::chrono::days>(time).time_since_epoch().count();
}

std::string facts_json(const RuleFacts& facts) {
  JsonObject object;
  for (std::size_t i = 0; i < kRuleFields; ++i) {
    add_fact(rule_field_at(i), facts.of(rule_field_at(i)), object);
  }
  return object.text();
}

std::string seen_json(const Evaluation& evaluation, const std::optional<LimitSeen>& limit) {
  std::string list;
  for (const auto& rule : evaluation.seen) {
    const bool last = &rule == &evaluation.seen.back();
    append(list, JsonObject()
                     .add("rule", rule.rule->name)
                     .add("match", to_string(rule.match))
                     .add("verdict", to_string(rule.rule->verdict))
                     .add_json("conditions", conditions_json(rule, last ? limit : std::nullopt))
                     .text());
  }
  return closed(std::move(list));
}

}  // namespace cmpost
