// Symmetric pieces of CMS: AES key wrap (RFC 3394), AES-CBC with padding; for this folder only.
#pragma once

#include "base/result.h"
#include "crypto/keys/algorithm.h"

namespace cmpost {

constexpr std::size_t kKekSize = 32;  // AES-256 key wrap, which is all that we make
Result<Bytes> wrap_key(ByteView kek, ByteView key);
// `kek` of 16, 24 or 32 octets.
Result<Bytes> unwrap_key(ByteView kek, ByteView wrapped);

// PKCS#7 padding.
Result<Bytes> encrypt_cbc(ByteView key, ByteView iv, ByteView text);
// Takes the same time whether or not the padding is right; where it is not, `text` lacks the last
// block. An Error when it is no whole number of blocks, or ours.
struct Unpadded {
  Bytes text;
  bool right = false;
};
Result<Unpadded> decrypt_cbc(ByteView key, ByteView iv, ByteView encrypted);

// The octets of key that id-aesN-wrap and aesN-CBC take; 0: not one of these.
std::size_t wrap_key_size(const Oid& algorithm);
std::size_t cbc_key_size(const Oid& algorithm);

}  // namespace cmpost
