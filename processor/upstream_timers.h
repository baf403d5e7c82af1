// What an RA does about its messages to a CA above because of time (timers.h says for whom and how
// often).
#pragma once

#include "ca/ledger/ledger.h"
#include "processor/dialogue/respond.h"
#include "queue/spool.h"

namespace cmpost {

// Puts what is stored and in no queue (a crash between the two commits), makes batches of what has
// been collected (of as many as `batch_most`, or when the oldest has waited `batch_within`), drops
// what has ended before it has left, notes what has left, from when on the time for its answer
// counts, and puts a job for each message whose answer is overdue or that is to be asked again.
// Keeps the lists of orders (order_lists.h).
Result<void> tend_upstream(Spool& spool, Ledger& ledger, const ProcessorServices& services);

// Makes batches of what has been collected for this channel now; how many messages.
Result<std::size_t> wrap_collected(Ledger& ledger, const ProcessorServices& services,
                                   const ChannelPolicy& channel);

}  // namespace cmpost
