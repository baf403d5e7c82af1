// The checks that a message went through, each with its verdict, for people: what was recorded when
// it was worked on, never what would be said today.
#pragma once

#include <string>
#include <vector>

#include "processor/admission/check_verdict.h"
#include "processor/dialogue/respond.h"
#include "processor/transaction/refused_request.h"
#include "processor/transaction/transaction.h"

namespace cmpost {

// Of a message that is kept with its transaction: that it is says how far it came, and the answer
// says the rest. `services` may be nullptr, for who must not see the keys: then the check that has
// refused a part may have no name. Changes nothing.
Result<CheckVerdicts> explain(const Transaction& transaction, const StoredMessage& message,
                              LedgerReader& ledger, const ProcessorServices* services);
CheckVerdicts explain(const RefusedRequest& refused);

}  // namespace cmpost
