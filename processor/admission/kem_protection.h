// Protection under keys that two key pairs agree on: DHBasedMac and KemBasedMac.
#pragma once

#include "crypto/secrets/kem.h"
#include "processor/admission/authentication.h"

namespace cmpost {

// a Diffie-Hellman certificate in extraCerts, and one of ours of the same kind.
Outcome<Requester> authenticate_by_dh(const Request& request, const Services& services);

// the requester's KEM key, by the ciphertext that it got in this transaction before.
Outcome<Requester> authenticate_by_kem(const Request& request, const Services& services);

// what came in generalInfo for our own KEM key, or earlier in the transaction, decides what
// answers are MACed with.
Outcome<void> take_kem_ciphertext(Requester& requester, const Request& request,
                                  const Services& services);

// A certificate that keys can be encapsulated to.
bool is_for_encapsulation(const Certificate& certificate);
// The ciphertext that a requester's key has in this transaction, and the secret in it. Both follow
// from our sealing key, so that a stranger's genm, which anybody may send with anybody's
// certificate, leaves nothing here and pushes nobody out.
Outcome<Encapsulated> encapsulated_to(const Certificate& certificate, const Request& request,
                                      const Services& services);

}  // namespace cmpost
