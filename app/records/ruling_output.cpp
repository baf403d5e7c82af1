#include "app/records/ruling_output.h"

#include <nlohmann/json.hpp>

#include "app/terminal/output.h"
#include "base/bytes.h"
#include "base/printable.h"

namespace cmpost {
namespace {

using nlohmann::json;

// What the ledger has; a list that cannot be read is shown as none.
json parsed(const std::string& text) { return json::parse(text, nullptr, false); }

std::string word(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? printable(found->get<std::string>(), 1000)
                                                     : std::string("?");
}

void print_condition(const json& one) {
  print_line("      " + word(one, "match") + "  " + word(one, "when") + ": wants " +
             word(one, "wants") + ", saw " + word(one, "saw"));
}

}  // namespace

std::string outcome_in_words(RuleOutcome outcome, const std::string& rule) {
  const auto named = "the rule '" + printable(rule) + "' ";
  switch (outcome) {
    case RuleOutcome::approve:
      return named + "approves it";
    case RuleOutcome::one:
      return named + "wants a person to agree";
    case RuleOutcome::two:
      return named + "wants two people to agree";
    case RuleOutcome::reject:
      return named + "refuses it";
    case RuleOutcome::hold:
      return named + "holds it";
    case RuleOutcome::channel:
      return "no rule fits: the channel decides";
    case RuleOutcome::unclear:
      return named + "may be about it, which is not known: people decide";
    case RuleOutcome::used_up:
      return named + "approves no more that day: a person has to agree";
  }
  return {};
}

json to_json(const std::vector<StoredRuling>& rulings) {
  auto all = json::array();
  for (const auto& one : rulings) {
    all.push_back({{"certReqId", one.certReqId},
                   {"at", to_iso8601(one.at)},
                   {"outcome", to_string(one.outcome)},
                   {"rule", one.rule},
                   {"rule_sha256", to_hex(one.rule_hash)},
                   {"facts", parsed(one.facts)},
                   {"rules", parsed(one.seen)}});
  }
  return all;
}

void print_rules_seen(const std::string& seen) {
  const auto rules = parsed(seen);
  if (!rules.is_array()) return print_line("    what the rules saw cannot be read");
  for (const auto& rule : rules) {
    print_line("    " + word(rule, "match") + "  rule " + word(rule, "rule"));
    const auto conditions = rule.find("conditions");
    if (conditions == rule.end() || !conditions->is_array()) continue;
    for (const auto& one : *conditions) print_condition(one);
  }
}

void print_rulings(const std::vector<StoredRuling>& rulings) {
  for (const auto& one : rulings) {
    print_line("  rules, part " + std::to_string(one.certReqId) + " at " + to_iso8601(one.at) +
               ": " + outcome_in_words(one.outcome, one.rule));
    if (!one.rule_hash.empty())
      print_line("    its wording has the SHA-256 " + to_hex(one.rule_hash));
    print_rules_seen(one.seen);
  }
}

}  // namespace cmpost
