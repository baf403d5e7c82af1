// EncryptedValue (RFC 4211 2.1), which EnvelopedData has replaced.
#pragma once

#include "base/random.h"
#include "crypto/keys/public_key.h"

namespace cmpost {

// AES-128-CBC under a key that RSA PKCS#1 v1.5 encrypts: what OpenSSL's client can read. An Error
// for a key that is not RSA.
Result<Bytes> encrypt_value(ByteView content, const PublicKey& recipient, Random& random);
// RSA PKCS#1 v1.5 alone, for a challenge of pvno 2 (RFC 9810 5.2.8.3.3). An Error for another key,
// and for more octets than fit: the modulus has eleven more.
Result<Bytes> encrypt_pkcs1(const PublicKey& recipient, ByteView content);

}  // namespace cmpost
