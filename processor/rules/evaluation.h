// Which rule decides, and what each has seen: the same facts, the same answer.
#pragma once

#include <vector>

#include "processor/rules/rule_facts.h"

namespace cmpost {

enum class RuleMatch { yes, no, unknown };
std::string_view to_string(RuleMatch match);

struct ConditionSeen {
  RuleField field = RuleField::body;
  std::string wants, saw;  // in words
  RuleMatch match = RuleMatch::no;
};
struct RuleSeen {
  const RuleSettings* rule = nullptr;
  RuleMatch match = RuleMatch::no;
  std::vector<ConditionSeen> conditions;  // all of them
};

// Borrows the rules.
struct Evaluation {
  std::vector<RuleSeen> seen;  // in their order, to the one that decides
  // nullptr: none fits, and the channel decides.
  const RuleSettings* decides = nullptr;
  // What is not known may be what the rule is about: nobody goes past it, and nothing is done by it
  // but that a person is asked.
  bool unclear = false;
};
Evaluation evaluate(const std::vector<RuleSettings>& rules, const RuleFacts& facts);

// Whether any of them can be about this body; where not, nothing has to be found out.
bool any_about(const std::vector<RuleSettings>& rules, std::string_view body);

}  // namespace cmpost
