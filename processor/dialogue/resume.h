// Goes on with a request that has waited: grants what has been approved, tells the requester.
#pragma once

#include "processor/dialogue/respond.h"

namespace cmpost {

// Works on a resume_job(): grants the parts that have been approved, refuses those that were
// rejected or that nobody has decided in time, and sends the interim answer when it is due. The
// requester, its protection and its rights are verified again. What is ready is sent at
// once or when the requester polls, as the channel says. Harmless to repeat, like respond().
Result<Decision> resume(const Lease& lease, LedgerReader& ledger,
                        const ProcessorServices& services);

}  // namespace cmpost
