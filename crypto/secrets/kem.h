// Key encapsulation: RSA-KEM (RFC 9690) and what else the linked OpenSSL has, ML-KEM from 3.5 on.
#pragma once

#include "crypto/keys/private_key.h"

namespace cmpost {

bool can_encapsulate(const PublicKey& key);

struct Encapsulated {
  AlgorithmIdentifier kem;
  Bytes ciphertext;
  Bytes shared_secret;
};
// Fresh at each call.
Result<Encapsulated> encapsulate(const PublicKey& key);
// The same for the same seed, which is as secret as the result.
Result<Encapsulated> encapsulate(const PublicKey& key, ByteView seed);
// An Error when algorithm, key and ciphertext do not belong together. A KEM that rejects implicitly
// gives another secret instead.
Result<Bytes> decapsulate(const PrivateKey& key, const AlgorithmIdentifier& kem,
                          ByteView ciphertext);

}  // namespace cmpost
