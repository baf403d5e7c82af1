// What is inside PublicKey and PrivateKey; for this folder only.
#pragma once

#include "crypto/keys/context_pool.h"
#include "crypto/keys/openssl.h"
#include "crypto/keys/private_key.h"
#include "crypto/keys/public_key.h"

namespace cmpost {

struct PublicKey::Native {
  Native() = default;
  Native(Native&&) = delete;
  // A point on one of the usual curves lends its OpenSSL objects to the next one: making and
  // freeing them costs more than loading a point. So nobody may keep a reference to `pkey`.
  ~Native();

  EvpPkeyPtr pkey;
  KeyType type = KeyType::other;
  unsigned bits = 0;
  SubjectPublicKeyInfo spki;
  mutable ContextPool ecdsa_verification;  // bound to pkey, whatever its point
};

struct PrivateKey::Native {
  EvpPkeyPtr pkey;
  PublicKey public_key;
};

inline const AlgorithmIdentifier& spki_algorithm(const PublicKey& key) {
  return key.native().spki.algorithm;
}

// The public half of a key that OpenSSL holds.
Result<PublicKey> public_key_of(EVP_PKEY* pkey);

}  // namespace cmpost
