// The checks that a message went through, each with its verdict, for people: what was recorded when
// it was worked on, never what would be said today.
#pragma once

#include <string>
#include <vector>

#include "processor/refused_request.h"
#include "processor/respond.h"
#include "processor/transaction.h"

namespace cmpost {

struct CheckVerdict {
  enum class Verdict { passed, failed, skipped };
  std::string check;  // "messageTime"
  Verdict verdict = Verdict::passed;
  std::string detail;  // what was found, or why it failed
};
std::string_view to_string(CheckVerdict::Verdict verdict);
using CheckVerdicts = std::vector<CheckVerdict>;

// Of a message that is kept with its transaction: that it is says how far it came, and the answer
// says the rest. `services` may be nullptr, for who must not see the keys: then the check that has
// refused a part may have no name. Changes nothing.
Result<CheckVerdicts> explain(const Transaction& transaction, const StoredMessage& message,
                              LedgerReader& ledger, const ProcessorServices* services);
CheckVerdicts explain(const RefusedRequest& refused);

}  // namespace cmpost
