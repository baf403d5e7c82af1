// Which device of the list a requester is, and what happens to one that is none.
#pragma once

#include <optional>

#include "processor/admission/request.h"
#include "processor/admission/services.h"
#include "processor/transaction/answer.h"

namespace cmpost {

// Sets Requester::device or Requester::unlisted. A certificate of ours needs no row, and neither
// does who speaks for others.
Result<void> find_device(Requester& requester, const Request& request, const Services& services);

// A request for certificates by a device that has no row waits for it: nobody here can grant it, a
// person can only refuse it, and an import that lists the device wakes it up. nullopt: it is to be
// worked on.
Outcome<std::optional<Answer>> hold_unlisted(const Request& request, const Requester& requester);

}  // namespace cmpost
