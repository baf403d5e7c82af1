// What a CA that speaks no CMP has said about an order, as the answer of this RA.
#pragma once

#include "processor/admission/role.h"

namespace cmpost {

// cp with the certificate, once it is what was ordered: the key, a path to `trust`, subject and
// names as asked for (or grantedWithMods, where the channel allows that), a validity that has not
// ended; else a Rejection whose text is for a person. rp, once somebody has revoked by hand. What
// is refused is typed as its request is. certConf is ours (confirm_here()).
Outcome<Answer> answer_order(const HeardOrder& heard, Services& services);

}  // namespace cmpost
