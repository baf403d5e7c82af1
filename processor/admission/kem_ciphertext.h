// A requester with a KEM key gets the ciphertext that its next message is protected with.
#pragma once

#include "processor/admission/request.h"
#include "processor/admission/services.h"
#include "processor/transaction/answer.h"

namespace cmpost {

// Whether it is the unprotected genm that asks for a ciphertext.
bool asks_for_kem_ciphertext(const Request& request);
// verifies the KEM certificate and encapsulates. The same certificate gets the same
// ciphertext in one transaction. Nothing is kept.
// Whoever asks has proven nothing, and is no Requester: the answer is not protected either.
Outcome<Answer> give_kem_ciphertext(const Request& request, const Services& services);

}  // namespace cmpost
