// PasswordBasedMac (RFC 9810 5.1.3.1, RFC 4211 4.4, RFC 9045).
#pragma once

#include "base/random.h"
#include "base/result.h"
#include "crypto/algorithm.h"

namespace cmpost {

enum class MacAlgorithm { hmac_sha1, hmac_sha224, hmac_sha256, hmac_sha384, hmac_sha512 };

struct PBMParameter {
  Bytes salt;
  Digest owf = Digest::sha256;
  std::int64_t iterationCount = 0;
  MacAlgorithm mac = MacAlgorithm::hmac_sha256;
  AlgorithmIdentifier owf_algorithm, mac_algorithm;  // as received, to be mirrored exactly
};
// What a peer may ask of us: all outside is an Error with the reason.
struct PBMLimits {
  std::int64_t min_iterations = 100;  // RFC 4211 4.4: "MUST be a minimum of 100"
  std::int64_t max_iterations = 100'000;
  std::size_t min_salt = 8;  // RFC 4211 4.4
  std::size_t max_salt = 256;
  bool allow_hmac_sha1 = true;  // what OpenSSL 3.0 sends by default
  bool allow_sha1_owf = false;
};
Result<PBMParameter> pbm_parameter(const AlgorithmIdentifier& algorithm, const PBMLimits& limits);

// Parameters of our own: `salt_size` random octets, SHA-256 and HMAC-SHA256.
PBMParameter make_pbm_parameter(Random& random, std::int64_t iterations,
                                std::size_t salt_size = 16);
// As `like` (owf, mac, iterations) with a fresh salt of the same size, for a mirrored answer.
PBMParameter with_fresh_salt(const PBMParameter& like, Random& random);
AlgorithmIdentifier to_algorithm(const PBMParameter& parameter);

// The MAC over `data`, keyed with the whole output of the owf ("BASEKEY"). HMAC takes a key of any
// length, so BASEKEY is neither cut nor expanded for it: RFC 4211 4.4 has it so, and OpenSSL and
// BouncyCastle. The expansion of RFC 9810 5.1.3.1 is for a MAC that "requires a K-bit key".
Result<Bytes> password_based_mac(const PBMParameter& parameter, ByteView secret, ByteView data);

// HMAC-SHA256 (RFC 2104) under a key of our own.
Result<Bytes> hmac_sha256(ByteView key, ByteView data);

// Constant-time comparison.
bool same_mac(ByteView a, ByteView b);

}  // namespace cmpost
