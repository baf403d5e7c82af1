// People decide on what waits.
#pragma once

#include <optional>

#include "ca/ledger.h"
#include "processor/respond.h"
#include "processor/wait_table.h"
#include "queue/spool.h"

namespace cmpost {

enum class Decided {
  done,           // the processor goes on with it
  one_more,       // somebody else has to agree, too
  said_before,    // the same person again
  nothing_waits,  // no part of it is undecided
};
std::string_view to_string(Decided decided);

// Records one verdict about a transaction, with an audit record, in one commit, and then puts the
// job that makes the processor go on; a crash between the two is mended by wake_waiting(). The
// verdict's certReqId names one part; nullopt: all that are undecided. A rejection by one person is
// enough; agreeing takes as many different people as the channel says.
Result<Decided> decide(Spool& spool, Ledger& ledger, const ProcessorServices& services,
                       const Transaction& transaction, std::optional<std::int64_t> certReqId,
                       Vote verdict);

}  // namespace cmpost
