// The whole way from the octets of one job to what is answered and what changes.
#pragma once

#include "processor/proceeding/decision.h"

namespace cmpost {

// Whether a job is for nested.h: a nested message of a requester. What a CA above answers is not.
bool is_batch(const Lease& lease, const ProcessorServices& services);

// Works on one job that is no nested message (see nested.h). Reads the ledger, changes nothing.
// Pure but for time, chance and the ledger: the same job may be worked on again at any time. An
// Error is trouble of ours (retry or hold). `Turn::again`: what is Early although everything before
// it has been worked on waits for its predecessor as long as the channel says, and a poll gets its
// answer.
enum class Turn { first, again };
Result<Decision> respond(const Lease& lease, LedgerReader& ledger,
                         const ProcessorServices& services, Turn turn = Turn::first);

// The same for a nested message, too, by one thread. `ledger` sees what the commit in progress has
// written. Not for batches.
Result<Decision> respond_alone(const Lease& lease, LedgerReader& ledger,
                               const ProcessorServices& services, Turn turn);
// What excludes itself: it is refused, or kept for an operator where nobody waits for an answer.
// Changes nothing but the audit log.
Result<Decision> refuse_for(const Conflict& conflict, const Lease& lease, LedgerReader& ledger,
                            const ProcessorServices& services);

}  // namespace cmpost
