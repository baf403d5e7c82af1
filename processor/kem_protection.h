// Protection under keys that two key pairs agree on: DHBasedMac and KemBasedMac.
#pragma once

#include "processor/authentication.h"
#include "processor/handlers.h"

namespace cmpost {

// a Diffie-Hellman certificate in extraCerts, and one of ours of the same kind.
Outcome<Requester> authenticate_by_dh(const Request& request, const Verifier& verifier);

// the requester's KEM key, by the ciphertext that it got in this transaction before.
Outcome<Requester> authenticate_by_kem(const Request& request, const Verifier& verifier);

// Whether it is the unprotected genm that asks for a ciphertext.
bool asks_for_kem_ciphertext(const Request& request);
// verifies the KEM certificate and encapsulates. The same certificate gets the same
// ciphertext in one transaction. Nothing is kept.
// Whoever asks has proven nothing, and is no Requester: the answer is not protected either.
Outcome<Answer> give_kem_ciphertext(const Request& request, const Verifier& verifier);

// what came in generalInfo for our own KEM key, or earlier in the transaction, decides what
// answers are MACed with.
Outcome<void> take_kem_ciphertext(Requester& requester, const Request& request,
                                  const Verifier& verifier);

}  // namespace cmpost
