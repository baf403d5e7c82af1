// The rules for a request's header that need no secret and no state (section 1.1 of the catalogue).
#pragma once

#include "cmp/pki_failure_info.h"
#include "processor/admission/check_verdict.h"
#include "processor/admission/request.h"

namespace cmpost {

// the first rule that is broken.
Checked<HeaderWishes> check_header(const PKIMessage& message, const ChannelPolicy& channel,
                                   Time now);

// Whether a message opens a transaction (ir, cr, p10cr, kur, rr, ...), rather than going on with
// one.
bool opens_transaction(const PKIBody& body);

// The pvno an answer to a message of this pvno has.
std::int64_t answer_pvno(std::int64_t pvno);

// The same checks one by one, each with its verdict; for people.
CheckVerdicts explain_header(const PKIMessage& message, const ChannelPolicy& channel, Time now);

}  // namespace cmpost
