// What happens because time has passed. Every function is for a loop: harmless to call at any time
// and from several processes, and each timer fires once however far the clock has jumped.
// While the clock is in doubt nothing fires that is not due by the time that is sure.
#pragma once

#include "ca/ledger/ledger.h"
#include "processor/dialogue/respond.h"
#include "queue/spool.h"

namespace cmpost {

// the wait for certConf starts when the answer has left. Looks what the outbox has finished
// (JobStatus::ended) and sets the deadlines; how many. An answer that the queue of replies does not
// know any more counts as having left now.
Result<std::size_t> start_confirm_timers(Spool& spool, Ledger& ledger,
                                         const ProcessorServices& services);

// Transactions whose certConf is overdue, as the channel's `unconfirmed` says: the
// certificates are revoked, kept, or somebody is called; how many transactions.
Result<std::size_t> end_overdue(Ledger& ledger, const ProcessorServices& services);

// Puts a job for everything that waits and has come due: decisions that nobody has told the
// processor of (a crash between the two commits), interim answers, decisions that were never made.
// How many are due.
Result<std::size_t> wake_waiting(Spool& spool, Ledger& ledger, const Clock& sure);

// What waits for the row of its device and has it by now is judged anew (docs/devices.md); how many
// transactions. wake_waiting() makes the jobs for it.
Result<std::size_t> release_listed(Ledger& ledger, Time now);

// All of the above.
Result<void> run_timers(Spool& spool, Ledger& ledger, const ProcessorServices& services);

}  // namespace cmpost
