// Signatures over octets (RFC 9481 section 3).
#pragma once

#include "base/result.h"
#include "crypto/keys/algorithm.h"
#include "crypto/keys/private_key.h"
#include "crypto/keys/public_key.h"

namespace cmpost {

// What a signature AlgorithmIdentifier means, parameters checked: RSA PKCS#1 v1.5 and PSS with
// SHA-2 or SHAKE, ECDSA with SHA-2 or SHAKE, Ed25519, Ed448 (the SHAKE forms where the linked
// OpenSSL can). SHA-1 and MD5 signatures, DSA and malformed parameters are an Error.
struct SignatureScheme {
  enum class Kind { rsa_pkcs1, rsa_pss, ecdsa, ed25519, ed448 };
  Kind kind;
  Digest digest;  // for EdDSA: the digest RFC 9481 3.3 pairs for certHash (SHA-512, SHAKE256)
  unsigned salt_length = 0;  // PSS
};
Result<SignatureScheme> signature_scheme(const AlgorithmIdentifier& algorithm);

// The algorithm fits the type of the key.
bool fits(const SignatureScheme& scheme, const PublicKey& key);

// The usual AlgorithmIdentifier for signing with `key`: ECDSA with the hash of the curve's
// strength, RSA PKCS#1 with SHA-256, EdDSA.
AlgorithmIdentifier default_signature_algorithm(const PublicKey& key);

enum class Verdict { good, bad };
// Whether `signature` is one by `key` over `data`. An unknown algorithm, one that does not fit the
// key or malformed parameters is an Error; a signature that is merely wrong or malformed is `bad`.
// Reuses per-thread contexts; no allocation of OpenSSL objects on the hot path for EC keys.
Result<Verdict> verify(const PublicKey& key, const AlgorithmIdentifier& algorithm, ByteView data,
                       ByteView signature);

// Signs with a context made once and reused. Usable from any thread at once.
class Signer {
 public:
  // An Error when the algorithm does not fit the key.
  static Result<Signer> create(const PrivateKey& key, const AlgorithmIdentifier& algorithm);
  static Result<Signer> create(const PrivateKey& key) {
    return create(key, default_signature_algorithm(key.public_key()));
  }

  const AlgorithmIdentifier& algorithm() const;
  const PublicKey& public_key() const;
  Result<Bytes> sign(ByteView data) const;

 private:
  struct State;
  explicit Signer(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace cmpost
