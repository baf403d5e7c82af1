// MACs under a password: PasswordBasedMac (RFC 9810 5.1.3.1, RFC 4211 4.4, RFC 9045) and PBMAC1
// (RFC 8018 7.1, RFC 9481 6.1.2).
#pragma once

#include "crypto/secrets/mac.h"

namespace cmpost {

// What a peer may ask of us: all outside is an Error with the reason, before any of the
// iterations is done.
struct MacLimits {
  std::int64_t min_iterations = 100;  // RFC 4211 4.4: "MUST be a minimum of 100"
  std::int64_t max_iterations = 1'000'000;
  std::size_t min_salt = 8;  // RFC 4211 4.4
  std::size_t max_salt = 256;
  bool allow_hmac_sha1 = true;  // what OpenSSL 3.0 sends by default
  bool allow_sha1_owf = false;
};

struct PBMParameter {
  Bytes salt;
  Digest owf = Digest::sha256;
  std::int64_t iterationCount = 0;
  MacScheme mac;
  AlgorithmIdentifier owf_algorithm, mac_algorithm;  // as received, to be mirrored exactly
};
Result<PBMParameter> pbm_parameter(const AlgorithmIdentifier& algorithm, const MacLimits& limits);
AlgorithmIdentifier to_algorithm(const PBMParameter& parameter);

// Parameters of our own: `salt_size` random octets, SHA-256 and HMAC-SHA256.
PBMParameter make_pbm_parameter(Random& random, std::int64_t iterations,
                                std::size_t salt_size = 16);

// The MAC over `data`. HMAC takes a key of any length, so the output of the owf ("BASEKEY") is
// neither cut nor expanded for it: RFC 4211 4.4 has it so, and OpenSSL and BouncyCastle. For a MAC
// that "requires a K-bit key" it is, as RFC 9810 5.1.3.1 has it.
Result<Bytes> password_based_mac(const PBMParameter& parameter, ByteView secret, ByteView data);

// PBKDF2-params (RFC 8018 A.2) with a salt of the sender's.
struct PBKDF2Parameter {
  Bytes salt;
  std::int64_t iterationCount = 0;
  std::optional<std::int64_t> keyLength;             // octets, as received
  Digest prf = Digest::sha256;                       // of HMAC
  std::optional<AlgorithmIdentifier> prf_algorithm;  // as received; absent: HMAC-SHA1
};
struct PBMAC1Parameter {
  PBKDF2Parameter kdf;
  MacScheme mac;
  std::size_t key_size = 0;  // octets that the key derivation gives
};
Result<PBMAC1Parameter> pbmac1_parameter(const AlgorithmIdentifier& algorithm,
                                         const MacLimits& limits);
AlgorithmIdentifier to_algorithm(const PBMAC1Parameter& parameter);
// PBKDF2 and HMAC with SHA-256, a key of 32 octets.
PBMAC1Parameter make_pbmac1_parameter(Random& random, std::int64_t iterations);
Result<Bytes> pbmac1(const PBMAC1Parameter& parameter, ByteView secret, ByteView data);

// As `like` with a fresh salt of the same size, for a mirrored answer.
PBMParameter with_fresh_salt(const PBMParameter& like, Random& random);
PBMAC1Parameter with_fresh_salt(const PBMAC1Parameter& like, Random& random);

// The key for a MAC from BASEKEY, the output of `owf` (RFC 9810 5.1.3.1 and 5.1.3.2).
Bytes mac_key(const MacScheme& mac, Digest owf, ByteView base_key);

// A digest used as one-way function, with NULL parameters or none. `what` is for the Error.
Result<Digest> one_way_function(const AlgorithmIdentifier& algorithm, bool allow_sha1,
                                std::string_view what);

}  // namespace cmpost
