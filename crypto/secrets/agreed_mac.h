// MACs under a key that two key pairs agree on: DHBasedMac (RFC 9810 5.1.3.2) and KemBasedMac (RFC
// 9810 5.1.3.4).
#pragma once

#include "crypto/secrets/password_mac.h"

namespace cmpost {

struct DHBMParameter {
  Digest owf = Digest::sha256;
  MacScheme mac;
  AlgorithmIdentifier owf_algorithm;  // as received, to be mirrored exactly
};
Result<DHBMParameter> dhbm_parameter(const AlgorithmIdentifier& algorithm, const MacLimits& limits);
AlgorithmIdentifier to_algorithm(const DHBMParameter& parameter);
DHBMParameter make_dhbm_parameter();  // SHA-256 and HMAC-SHA256
// `agreed` is the result of the Diffie-Hellman computation (crypto/secrets/key_agreement.h).
Result<Bytes> dh_based_mac(const DHBMParameter& parameter, ByteView agreed, ByteView data);

struct KemBMParameter {
  AlgorithmIdentifier kdf;  // HKDF of RFC 8619, KDF2 or KDF3 of X9.44
  std::optional<Bytes> kemContext;
  std::size_t len = 0;  // octets of the MAC's key
  MacScheme mac;
};
Result<KemBMParameter> kem_parameter(const AlgorithmIdentifier& algorithm, const MacLimits& limits);
AlgorithmIdentifier to_algorithm(const KemBMParameter& parameter);
KemBMParameter make_kem_parameter();  // HKDF and HMAC with SHA-256, 32 octets
// The key "ssk" from the KEM's shared secret; its context is KemOtherInfo with the transactionID of
// the message that brought the ciphertext.
Result<Bytes> kem_mac_key(const KemBMParameter& parameter, ByteView shared_secret,
                          ByteView transactionID);
Bytes encode_kem_other_info(ByteView transactionID, const std::optional<Bytes>& kemContext);

// KDF(input, length, info) of an AlgorithmIdentifier. An Error for one that is not known here.
Result<Bytes> derive_key(const AlgorithmIdentifier& kdf, ByteView input, ByteView info,
                         std::size_t length);

}  // namespace cmpost
