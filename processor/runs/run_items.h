// What was in a run: gathered once, in the commit that ends it, and read as often as its report is
// made.
#pragma once

#include <vector>

#include "ca/ledger/ledger.h"
#include "queue/job.h"
#include "report/run_report.h"

namespace cmpost {

// Notes the items of run `facts.number` and fills in what is summed up over them: counts, channels
// (which have their names already), hours, reasons, follow_ups, unlisted, issued, revoked, serial
// numbers. `held`: all requests that are held on its channels; those that are of no run before
// become items of this one, the others are told as facts. Inside a commit.
Result<void> gather_items(LedgerWriter& writer, const std::vector<JobStatus>& held,
                          RunFacts& facts);
// What is held on these channels before a run begins is of none or of the one that it was held in;
// what is not any more is forgotten, and is news when it is held again. Inside a commit.
Result<void> note_held_before(LedgerWriter& writer, const std::vector<std::string>& channels,
                              const std::vector<JobStatus>& held);
// How many of those that are held are of no run before.
Result<std::uint64_t> count_newly_held(Connection& connection, const std::vector<JobStatus>& held);

// In their order. `connection` outlives the call, and is read by nobody else meanwhile.
Result<void> for_each_item(Connection& connection, std::int64_t run,
                           const std::function<Result<void>(const RunItem&)>& each);

}  // namespace cmpost
