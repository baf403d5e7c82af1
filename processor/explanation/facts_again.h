// What is known of a request that has come before, for rules that were not there then.
#pragma once

#include <vector>

#include "processor/explanation/explain_again.h"
#include "processor/rules/rule_facts.h"

namespace cmpost {

struct PartFacts {
  std::int64_t certReqId = 0;
  RuleFacts facts;
};

// As ledger and settings are now, whatever has become of the request: what it got itself counts
// among the certificates of its device. Empty where the sender would not be believed now, and for
// bodies that rules are not about.
Result<std::vector<PartFacts>> facts_again(const Asked& asked, LedgerReader& ledger,
                                           const ProcessorServices& services);

}  // namespace cmpost
