// MACs under a symmetric key (RFC 9481 6.2): HMAC, KMAC, AES-GMAC.
#pragma once

#include "base/random.h"
#include "base/result.h"
#include "crypto/keys/algorithm.h"

namespace cmpost {

// A MAC AlgorithmIdentifier, read and checked.
struct MacScheme {
  enum class Kind { hmac, kmac128, kmac256, gmac };
  Kind kind = Kind::hmac;
  Digest digest = Digest::sha256;  // hmac
  Bytes nonce;                     // gmac (RFC 9044)
  Bytes customization;             // kmac (RFC 8702)
  std::size_t key_size = 0;        // octets; 0: any
  std::size_t output_size = 0;     // octets
  AlgorithmIdentifier algorithm;   // as received, to be mirrored exactly
};

// An Error for what is no MAC, for malformed parameters and for lengths that protect nothing.
// HMAC-SHA1, in either of its spellings, only where it is allowed.
Result<MacScheme> mac_scheme(const AlgorithmIdentifier& algorithm, bool allow_hmac_sha1 = true);

// Whether it can be computed with a key of so many octets.
bool takes_key_of(const MacScheme& scheme, std::size_t octets);
// The MAC with the given key, whose size must fit (Error).
Result<Bytes> compute_mac(const MacScheme& scheme, ByteView key, ByteView data);

// As `like`; GMAC with another nonce of the same size: the same one twice under one key gives the
// key away (RFC 9044 2).
MacScheme with_fresh_nonce(const MacScheme& like, Random& random);

// HMAC-SHA256 (RFC 2104) under a key of our own.
Result<Bytes> hmac_sha256(ByteView key, ByteView data);

// Constant-time comparison.
bool same_mac(ByteView a, ByteView b);

}  // namespace cmpost
