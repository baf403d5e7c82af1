// Which handler a body has.
#pragma once

#include "processor/ca_role/handlers.h"

namespace cmpost {

// The answer to a message that opens a transaction. Where somebody has to agree first
// (ChannelPolicy::approvals), everything is checked and Answer::undecided says what waits; when
// such a request comes back (Request::waited) the answer is about what has been decided.
Outcome<Answer> dispatch(const Request& request, const Requester& requester, CaServices& services);

}  // namespace cmpost
