// The facts of a run's report as the ledger keeps them: whatever is printed from them later is what
// was printed at first.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "report/run_report.h"

namespace cmpost {

// JSON; parse_facts() of it is equal to the facts.
std::string stored_facts(const RunFacts& facts);
// hold: nobody has stored that.
Result<RunFacts> parse_facts(std::string_view text);

}  // namespace cmpost
