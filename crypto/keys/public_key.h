// Public keys, decoded without OpenSSL's slow general decoder where that matters.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "crypto/keys/algorithm.h"

namespace cmpost {

enum class KeyType { rsa, ec_p256, ec_p384, ec_p521, ed25519, ed448, x25519, x448, other };

// A SubjectPublicKeyInfo split into its parts; nothing of the key itself is checked yet.
struct SubjectPublicKeyInfo {
  Bytes der;  // exact
  AlgorithmIdentifier algorithm;
  Bytes key;  // content of the BIT STRING
};
der::Parsed<SubjectPublicKeyInfo> read_spki(der::Reader& reader, der::Tag tag = der::kSequence);

// A usable public key. Immutable, cheap to copy (shared), usable from any thread.
class PublicKey {
 public:
  // Checks that the key is well formed: the point is on the curve, the RSA modulus is odd and of
  // 512 to 16384 bits. An Error (hold) says why not. `spki` is a whole SubjectPublicKeyInfo.
  static Result<PublicKey> from_spki(ByteView spki);
  static Result<PublicKey> from_spki(const SubjectPublicKeyInfo& spki);

  KeyType type() const;
  unsigned bits() const;            // RSA modulus bits, curve bits
  std::string description() const;  // "ec:P-256", "rsa:2048", "ed25519"
  ByteView spki() const;            // exact DER
  // SHA-1 of the subjectPublicKey bits, RFC 5280 4.2.1.2 method (1).
  Bytes key_identifier() const;

  struct Native;  // EVP_PKEY, for this folder only
  const Native& native() const { return *native_; }

 private:
  explicit PublicKey(std::shared_ptr<const Native> native) : native_(std::move(native)) {}
  std::shared_ptr<const Native> native_;
};

}  // namespace cmpost
