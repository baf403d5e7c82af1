// Private keys on their way: AsymmetricKeyPackage (RFC 5958) and EncKeyWithID (RFC 4211 6.4).
#pragma once

#include "crypto/name.h"
#include "crypto/private_key.h"

namespace cmpost {

// One OneAsymmetricKey of version 2, with the public key (RFC 9483 4.1.6). The caller wipes it.
Result<Bytes> encode_key_package(const PrivateKey& key);
// Exactly one key; the public key in it, if there is one, must belong to it.
Result<PrivateKey> read_key_package(ByteView der);

// What a requester encrypts to us as proof of possession or for the archive.
struct EncKeyWithID {
  PrivateKey key;
  std::optional<GeneralName> identifier{};
  std::optional<std::string> token{};  // the other choice of identifier: a UTF8String
};
Result<EncKeyWithID> read_enc_key_with_id(ByteView der);
Result<Bytes> encode(const EncKeyWithID& value);

}  // namespace cmpost
