// Private keys on their way: AsymmetricKeyPackage (RFC 5958) and EncKeyWithID (RFC 4211 6.4).
#pragma once

#include "asn1/name.h"
#include "crypto/keys/private_key.h"

namespace cmpost {

// Of keys that are read here the private half is known to belong to the public one: for EC the
// latter is computed, the numbers of an RSA key fit together.

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
// The same of content that came out of an envelope, which nobody vouches for: the key of `expected`
// or none. Where it is not, something made up of the same kind, with `stand_in`, takes its place
// and is worked on just as long, so that the time does not tell how far the content made sense.
// nullopt: `expected` is of a kind for which there is none.
struct JudgedKey {
  EncKeyWithID sent;
  bool right = false;  // it was sent, and is the private half of `expected`
};
std::optional<JudgedKey> judge_enc_key_with_id(ByteView content, const PublicKey& expected,
                                               const GeneralName& stand_in);
Result<Bytes> encode(const EncKeyWithID& value);

}  // namespace cmpost
