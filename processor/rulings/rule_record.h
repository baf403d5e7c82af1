// What rules have said about a request, as the ledger keeps it.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "crypto/keys/algorithm.h"
#include "processor/rules/evaluation.h"

namespace cmpost {

// What came of it; spelled in the database and in listings as here.
enum class RuleOutcome {
  approve,
  one,
  two,
  reject,
  hold,
  channel,  // no rule fitted
  unclear,  // what a rule is about is not known: a person is asked
  used_up   // the rule approves no more today: a person is asked
};
std::string_view to_string(RuleOutcome outcome);
std::optional<RuleOutcome> rule_outcome(std::string_view text);

// The wording of a rule, by whose digest verdicts name it.
struct RuleWording {
  Sha256 digest{};
  std::string name, text;
};
RuleWording wording_of(const RuleSettings& rule);

// One look at the rules, about one part of a request.
struct RuleRecord {
  std::int64_t certReqId = 0;
  Time at{};
  RuleOutcome outcome = RuleOutcome::channel;
  std::optional<RuleWording> rule{};  // that decided; nullopt: none
  std::string facts;                  // JSON: what was known
  std::string seen;                   // JSON: each rule that was looked at, with the values it saw
};

// A rule has approved, and may do so `most` times that day.
struct RuleUse {
  Sha256 rule{};
  std::int64_t day = 0;  // since 1970, UTC
  std::int64_t most = 0;
};
std::int64_t day_number(Time time);

// What a rule has approved on, to be looked at again in the commit.
struct RuleGuard {
  std::int64_t device = 0;  // a row of the list that is not retired
  // ... with so many certificates in use, where a rule looked at that.
  std::optional<std::int64_t> active{};
};

// {"body":"kur","active_certificates":1,"device":null,"revoked":false}; what is not known is
// {"unknown":"why"}.
std::string facts_json(const RuleFacts& facts);
// [{"rule":"listed","match":"no","conditions":[{"when":"body","wants":"ir","saw":"kur","match":
// "no"}]}]. `limit`: of the last of them, in words.
struct LimitSeen {
  std::string wants, saw;
  bool left = true;
};
std::string seen_json(const Evaluation& evaluation, const std::optional<LimitSeen>& limit);

}  // namespace cmpost
