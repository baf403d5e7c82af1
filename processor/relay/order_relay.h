// What comes in about orders to a CA that speaks no CMP.
#pragma once

#include "processor/proceeding/decision.h"

namespace cmpost {

// Works on news of an order (queue/order_job.h). A certificate belongs to the order for its public
// key, whatever its file was called; it is held against what was ordered before anything of it is
// kept (Role::hear_order), and what does not pass is held for a person and changes nothing. The
// first that counts becomes the requester's answer; a second one, and one that nobody has ordered,
// are held. Harmless to repeat, like respond().
Result<Decision> hear_order(const Lease& lease, LedgerReader& ledger,
                            const ProcessorServices& services);

}  // namespace cmpost
