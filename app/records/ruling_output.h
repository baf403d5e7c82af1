// What rules have said, in the words of `transaction explain` and `rule`.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "processor/rulings/rule_tables.h"

namespace cmpost {

// [{"certReqId", "at", "outcome", "rule", "rule_sha256", "facts": {...}, "rules": [{"rule",
// "match", "conditions": [{"when", "wants", "saw", "match"}]}]}]
nlohmann::json to_json(const std::vector<StoredRuling>& rulings);
// Each look with each rule that was looked at, and the values that it saw.
void print_rulings(const std::vector<StoredRuling>& rulings);
// The rules of one look: JSON of seen_json().
void print_rules_seen(const std::string& seen);
// "the rule 'listed' approves it", for one that was asked.
std::string outcome_in_words(RuleOutcome outcome, const std::string& rule);

}  // namespace cmpost
