// What the rules of the settings say of a part of a request.
#pragma once

#include "processor/consent/consent.h"

namespace cmpost {

struct RuleJudgement {
  RuleRecord record;
  int people = 0;                        // so many have to agree
  bool held = false;                     // and cannot
  std::optional<Rejection> rejection{};  // none can
  std::optional<RuleUse> use{};          // where nobody has to
  std::optional<RuleGuard> guard{};
};
// Where a rule decides that a person is asked, or what it is about is not known, it is one at
// least. An Error where the ledger cannot be read.
Result<RuleJudgement> judge_by_rules(const Request& request, const ConsentPart& part,
                                     const Services& services);

}  // namespace cmpost
