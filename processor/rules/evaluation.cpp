#include "processor/rules/evaluation.h"

#include <algorithm>

namespace cmpost {
namespace {

// "rsa" is every RSA key, "ec" every curve.
bool is_of_family(RuleField field, std::string_view word, std::string_view value) {
  return field == RuleField::key_type && (word == "rsa" || word == "ec") &&
         value.starts_with(word) && value.substr(word.size()).starts_with(':');
}

bool fits(const RuleCondition& condition, const RuleFact& fact) {
  if (const auto* words = std::get_if<std::vector<std::string>>(&condition.wants)) {
    const auto* value = std::get_if<std::string>(&fact);
    return value != nullptr && std::ranges::any_of(*words, [&](const auto& word) {
             return word == *value || is_of_family(condition.field, word, *value);
           });
  }
  if (const auto* bound = std::get_if<RuleBound>(&condition.wants)) {
    const auto* number = std::get_if<std::int64_t>(&fact);
    return number != nullptr && holds(*bound, *number);
  }
  const auto* yes = std::get_if<bool>(&fact);
  return yes != nullptr && *yes == std::get<bool>(condition.wants);
}

ConditionSeen look(const RuleCondition& condition, const RuleFacts& facts) {
  const auto& fact = facts.of(condition.field);
  ConditionSeen seen{condition.field, in_words(condition), in_words(condition.field, fact),
                     RuleMatch::no};
  if (std::holds_alternative<UnknownFact>(fact)) {
    seen.match = RuleMatch::unknown;
  } else if (fits(condition, fact)) {
    seen.match = RuleMatch::yes;
  }
  return seen;
}

bool any(const RuleSeen& rule, RuleMatch match) {
  return std::ranges::find(rule.conditions, match, &ConditionSeen::match) != rule.conditions.end();
}

// What one condition excludes is excluded, whatever is not known besides.
RuleSeen look(const RuleSettings& rule, const RuleFacts& facts) {
  RuleSeen seen;
  seen.rule = &rule;
  for (const auto& condition : rule.when) seen.conditions.push_back(look(condition, facts));
  if (any(seen, RuleMatch::no)) return seen;
  seen.match = any(seen, RuleMatch::unknown) ? RuleMatch::unknown : RuleMatch::yes;
  return seen;
}

}  // namespace

std::string_view to_string(RuleMatch match) {
  switch (match) {
    case RuleMatch::yes:
      return "yes";
    case RuleMatch::no:
      return "no";
    case RuleMatch::unknown:
      return "unknown";
  }
  return "";
}

Evaluation evaluate(const std::vector<RuleSettings>& rules, const RuleFacts& facts) {
  Evaluation evaluation;
  for (const auto& rule : rules) {
    if (!rule.is_about(facts.body())) continue;
    evaluation.seen.push_back(look(rule, facts));
    const auto match = evaluation.seen.back().match;
    if (match == RuleMatch::no) continue;
    evaluation.decides = &rule;
    evaluation.unclear = match == RuleMatch::unknown;
    break;
  }
  return evaluation;
}

bool any_about(const std::vector<RuleSettings>& rules, std::string_view body) {
  return std::ranges::any_of(rules, [&](const RuleSettings& rule) { return rule.is_about(body); });
}

}  // namespace cmpost
