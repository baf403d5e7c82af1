#include "processor/rules/rule_facts.h"

#include "config/text/units.h"

namespace cmpost {

std::string in_words(RuleField field, const RuleFact& fact) {
  if (const auto* unknown = std::get_if<UnknownFact>(&fact)) return "not known: " + unknown->why;
  if (const auto* text = std::get_if<std::string>(&fact)) return *text;
  if (const auto* yes = std::get_if<bool>(&fact)) return *yes ? "true" : "false";
  const auto* number = std::get_if<std::int64_t>(&fact);
  if (number == nullptr) return "none";
  if (field != RuleField::validity) return std::to_string(*number);
  return spell_duration(std::chrono::seconds(*number));
}

std::string RuleFacts::body() const {
  const auto* body = std::get_if<std::string>(&of(RuleField::body));
  return body == nullptr ? std::string() : *body;
}

}  // namespace cmpost
