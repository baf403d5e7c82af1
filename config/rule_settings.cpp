#include "config/rule_settings.h"

#include <algorithm>
#include <array>

#include "config/text/units.h"

namespace cmpost {
namespace {

constexpr std::array<std::string_view, kRuleFields> kFieldWords = {
    "body",   "channel", "profile", "requester", "device",   "vendor",   "site",
    "batch",  "subject", "san",     "key",       "key_type", "validity", "active_certificates",
    "revoked"};
constexpr std::array<std::string_view, 5> kVerdictWords = {"approve", "one", "two", "reject",
                                                           "hold"};
constexpr std::array<std::string_view, 5> kSigns = {"<", "<=", "=", ">=", ">"};
constexpr std::array<std::string_view, 4> kCertificateBodies = {"ir", "cr", "p10cr", "kur"};

// So that no value can look like two.
std::string in_double_quotes(std::string_view value) {
  std::string text = "\"";
  for (const char one : value) {
    if (one == '"' || one == '\\') text += '\\';
    text += one;
  }
  return text + "\"";
}

std::string in_words(RuleField field, const RuleBound& bound) {
  const auto number = field == RuleField::validity
                          ? spell_duration(std::chrono::seconds(bound.number))
                          : std::to_string(bound.number);
  return std::string(kSigns.at(static_cast<std::size_t>(bound.sign))) + " " + number;
}

}  // namespace

std::string_view to_string(RuleField field) {
  return kFieldWords.at(static_cast<std::size_t>(field));
}

RuleField rule_field_at(std::size_t index) { return static_cast<RuleField>(index); }

std::string_view to_string(RuleVerdict verdict) {
  return kVerdictWords.at(static_cast<std::size_t>(verdict));
}

bool holds(const RuleBound& bound, std::int64_t number) {
  switch (bound.sign) {
    case RuleBound::Sign::less:
      return number < bound.number;
    case RuleBound::Sign::at_most:
      return number <= bound.number;
    case RuleBound::Sign::equal:
      return number == bound.number;
    case RuleBound::Sign::at_least:
      return number >= bound.number;
    case RuleBound::Sign::more:
      return number > bound.number;
  }
  return false;
}

std::string in_words(const RuleCondition& condition) {
  if (const auto* words = std::get_if<std::vector<std::string>>(&condition.wants)) {
    std::string text;
    for (const auto& word : *words) text += (text.empty() ? "" : " or ") + word;
    return text;
  }
  if (const auto* bound = std::get_if<RuleBound>(&condition.wants)) {
    return in_words(condition.field, *bound);
  }
  return std::get<bool>(condition.wants) ? "true" : "false";
}

const RuleCondition* RuleSettings::condition(RuleField field) const {
  const auto found = std::ranges::find(when, field, &RuleCondition::field);
  return found == when.end() ? nullptr : &*found;
}

bool RuleSettings::is_about(std::string_view body) const {
  const auto* bodies = condition(RuleField::body);
  if (bodies == nullptr)
    return std::ranges::find(kCertificateBodies, body) != kCertificateBodies.end();
  const auto& named = std::get<std::vector<std::string>>(bodies->wants);
  return std::ranges::find(named, body) != named.end();
}

std::string RuleSettings::text() const {
  std::string text = "name " + in_double_quotes(name) + "\n";
  for (const auto& one : when) {
    text += "when " + std::string(to_string(one.field));
    if (const auto* words = std::get_if<std::vector<std::string>>(&one.wants)) {
      for (const auto& word : *words) text += " " + in_double_quotes(word);
    } else {
      text += " " + in_words(one);
    }
    text += "\n";
  }
  text += "verdict " + std::string(to_string(verdict)) + "\n";
  if (limit) text += "limit " + std::to_string(*limit) + " a day\n";
  if (!reason.empty()) text += "reason " + in_double_quotes(reason) + "\n";
  return text;
}

}  // namespace cmpost
