// Diffie-Hellman between two key pairs of one kind: ECDH, X25519, X448, DH.
#pragma once

#include "crypto/keys/private_key.h"

namespace cmpost {

bool can_agree(const PublicKey& key);

// The agreed value (for a curve: the x coordinate). An Error when the keys are of different kinds
// or groups, or when the peer's is one that gives away the result.
Result<Bytes> agree(const PrivateKey& own, const PublicKey& peer);

}  // namespace cmpost
