// What the ledger remembers of the clock, so that a wrong one is noticed by the next process, too.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "base/watched_clock.h"
#include "ca/ledger/ledger.h"

namespace cmpost {

const std::vector<Migration>& clock_migrations();

// What is remembered; in a ledger that remembers nothing yet the time of its newest record or CRL
// is what was believed. nullopt: there is none of these.
Result<std::optional<ClockState>> read_clock(Connection& ledger);
// The time of the newest audit record.
Result<std::optional<Time>> newest_record(Connection& ledger);

// Looks at the clock and remembers what it makes of it, in `clock` and in the ledger (there when
// the judgement changes, and now and then). A change is a record in the audit log and a line in the
// log; so is a clock that was ahead for a while and is right again, when the newest record shows
// it.
Result<void> look_at_clock(Ledger& ledger, WatchedClock& clock);
// A person says that the clock is right as it is. `who` goes into the audit log.
Result<void> confirm_clock(Ledger& ledger, WatchedClock& clock, const nlohmann::json& who);

}  // namespace cmpost
