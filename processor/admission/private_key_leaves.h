// Private keys in answers, and where these may go.
#pragma once

#include "processor/admission/request.h"

namespace cmpost {

// whether private keys may leave with the answer. By mail only to one of the addresses that
// `registered` sends answers to: anybody may write a From.
Checked<void> check_may_leave(const Request& request);

bool carries_private_key(const PKIBody& answer);

}  // namespace cmpost
