// The key-encryption keys of CMS, both ways; for this folder only.
#pragma once

#include "crypto/envelope/envelope.h"

namespace cmpost {

// A content-encryption key. Where what was sent gives none, a random one of the same size takes its
// place, so that whatever is wrong shows up late and in one way (RFC 3218 2.3.2).
struct ContentKey {
  Bytes key;
  bool right = false;
};
ContentKey random_key(std::size_t size);
// Unwraps with `kek`, if there is one.
ContentKey unwrapped_key(const Result<Bytes>& kek, ByteView wrapped, std::size_t size);

// RSAES-OAEP with SHA-256 when we encrypt; also PKCS#1 v1.5 when we decrypt, in the same time
// whether or not it is padded rightly (Bleichenbacher's attack). An Error is about the algorithm.
AlgorithmIdentifier oaep_with_sha256();
Result<Bytes> transport_key(const PublicKey& recipient, ByteView key);
Result<ContentKey> recover_key(const PrivateKey& own, const AlgorithmIdentifier& algorithm,
                               ByteView encrypted, std::size_t size);

// X9.63 with SHA-256, -384 or -512 over ECC-CMS-SharedInfo (RFC 5753 7.2); `scheme` is the key
// agreement algorithm.
Result<Bytes> agreed_kek(ByteView agreed, const Oid& scheme, const AlgorithmIdentifier& wrap,
                         std::size_t size, const std::optional<Bytes>& ukm);

// RFC 9629 5: the KDF over CMSORIforKEMOtherInfo.
Result<Bytes> kem_kek(const AlgorithmIdentifier& kdf, ByteView shared_secret,
                      const AlgorithmIdentifier& wrap, std::size_t size,
                      const std::optional<Bytes>& ukm);

Result<Bytes> password_kek(ByteView password, ByteView salt, std::int64_t iterations, Digest prf,
                           std::size_t size);

}  // namespace cmpost
