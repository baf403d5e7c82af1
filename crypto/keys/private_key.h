// Private keys: made here or read from files.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "crypto/keys/public_key.h"

namespace cmpost {

// A private key. Cheap to copy (shared), usable from any thread; the memory is wiped when the last
// copy goes.
class PrivateKey {
 public:
  // "ec:P-256", "ec:P-384", "ec:P-521", "rsa:2048" .. "rsa:16384", "ed25519", "ed448", "x25519",
  // "x448"; also the short "P-256", "rsa" (3072). "ml-kem-768" and the like where
  // OpenSSL has them (3.5). An unknown name is an Error that lists these.
  static Result<PrivateKey> generate(std::string_view algorithm);
  // PKCS#8 or traditional PEM; `password` when it is encrypted (a missing or wrong one is an Error
  // that says which).
  static Result<PrivateKey> from_pem(std::string_view pem,
                                     std::optional<std::string> password = {});

  // DER of a PrivateKeyInfo (PKCS#8, RFC 5958).
  static Result<PrivateKey> from_pkcs8(ByteView der);
  // The caller wipes it.
  Result<Bytes> to_pkcs8() const;

  // PKCS#8; encrypted with AES-256-CBC and PBKDF2 when a password is given.
  Result<std::string> to_pem(std::optional<std::string> password = {}) const;

  const PublicKey& public_key() const;
  KeyType type() const { return public_key().type(); }

  struct Native;  // EVP_PKEY, for this folder only
  const Native& native() const { return *native_; }

 private:
  explicit PrivateKey(std::shared_ptr<const Native> native) : native_(std::move(native)) {}
  std::shared_ptr<const Native> native_;
};

}  // namespace cmpost
