// An order that must not be placed any more.
#pragma once

#include <optional>

#include "outbox/egress.h"
#include "queue/order_job.h"

namespace cmpost {

// What becomes of an order that is not open, so that nothing leaves of it; nullopt: it is open. One
// that is over stays in the queue until whoever has ended it drops it there. An Error: nobody could
// find out, and it must not leave either.
Result<std::optional<Delivery>> not_placed(const Job& order, const AskStanding& standing);

}  // namespace cmpost
