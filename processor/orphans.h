// Certificates of nobody that are to be revoked at a CA above.
#pragma once

#include "processor/dialogue/respond.h"

namespace cmpost {

// Asks for each of them once. What cannot be asked for waits for a person, and says why.
Result<void> revoke_wanted(Ledger& ledger, const ProcessorServices& services);

}  // namespace cmpost
