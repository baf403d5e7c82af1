// Whether the halves of a key pair belong together; for this folder only.
#pragma once

#include "crypto/keys/private_key.h"

namespace cmpost {

// OpenSSL believes what stands in an RSA key: that the modulus is the product of the primes, and so
// on. True for keys of other kinds, whose public half is computed. Takes the same time for all keys
// of a size.
bool is_consistent(const PrivateKey& key);

// The content of privateKey (RFC 5958) for a key of the kind and size of `like`, of random numbers:
// OpenSSL reads it, and it is nobody's. Empty for kinds that it is not known for.
Bytes made_up_private_key(const PublicKey& like);

}  // namespace cmpost
