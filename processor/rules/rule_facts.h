// What is known of a request when rules decide about it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "config/rule_settings.h"

namespace cmpost {

// That there is no such thing (rr has no profile) is known, and fits no condition; what is not
// known (why, in words) fits none and excludes none.
struct NoSuchFact {
  friend bool operator==(const NoSuchFact&, const NoSuchFact&) = default;
};
struct UnknownFact {
  std::string why;
  friend bool operator==(const UnknownFact&, const UnknownFact&) = default;
};
using RuleFact = std::variant<NoSuchFact, UnknownFact, std::string, std::int64_t, bool>;
// For people: "kur", "3", "none", "not known: ...".
std::string in_words(RuleField field, const RuleFact& fact);

class RuleFacts {
 public:
  const RuleFact& of(RuleField field) const { return facts_.at(static_cast<std::size_t>(field)); }
  void set(RuleField field, RuleFact fact) {
    facts_.at(static_cast<std::size_t>(field)) = std::move(fact);
  }
  // "ir", ...; empty where nobody has said.
  std::string body() const;

  friend bool operator==(const RuleFacts&, const RuleFacts&) = default;

 private:
  std::array<RuleFact, kRuleFields> facts_{};
};

}  // namespace cmpost
