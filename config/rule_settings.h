// [[rule]]: who decides about a request, told by what is known of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"

namespace cmpost {

// What a condition may be about, in the order that they are looked at and shown in.
enum class RuleField {
  body,
  channel,
  profile,
  requester,            // kind of credential
  device,               // of the list of devices
  vendor,               // of that device
  site,                 // of that device
  batch,                // of that device
  subject,              // against the certificate that the requester has
  san,                  // the same
  key,                  // the same
  key_type,             // "ec:P-256"
  validity,             // of the certificate
  active_certificates,  // of that device
  revoked               // the certificate that the requester has
};
inline constexpr std::size_t kRuleFields = 15;
std::string_view to_string(RuleField field);
RuleField rule_field_at(std::size_t index);  // of kRuleFields

// "< 2", "<= 400d"; a number without a sign is "= 2".
struct RuleBound {
  enum class Sign { less, at_most, equal, at_least, more };
  Sign sign = Sign::equal;
  std::int64_t number = 0;  // of a time: seconds
  friend bool operator==(const RuleBound&, const RuleBound&) = default;
};
bool holds(const RuleBound& bound, std::int64_t number);

// One comparison of one field.
struct RuleCondition {
  RuleField field = RuleField::body;
  // One of these words; a bound; yes or no.
  std::variant<std::vector<std::string>, RuleBound, bool> wants;
};
// As the file may have it: `"kur" or "cr"`, `< 2`.
std::string in_words(const RuleCondition& condition);

enum class RuleVerdict {
  approve,
  one,     // a person has to agree
  two,     // two of them
  reject,  // the requester hears so
  hold     // it waits, and nobody can agree to it as long as a rule says so
};
std::string_view to_string(RuleVerdict verdict);

struct RuleSettings {
  std::string name;
  std::vector<RuleCondition> when;  // all of them; one of each field at most
  RuleVerdict verdict = RuleVerdict::one;
  std::optional<std::int64_t> limit;  // approve: of so many a day (UTC), then a person has to agree
  std::string reason;                 // reject: told to the requester

  // Whether it can be about a request with this body: rr where it says so itself, else requests for
  // certificates. Never krr, ccr and genm.
  bool is_about(std::string_view body) const;
  const RuleCondition* condition(RuleField field) const;  // nullptr: none
  // All that it says, in one spelling: the same text, the same rule.
  std::string text() const;
};

}  // namespace cmpost
