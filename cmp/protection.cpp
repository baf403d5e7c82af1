#include "cmp/protection.h"

#include <algorithm>
#include <array>

#include "base/result.h"

namespace cmpost {
namespace {

// Both or neither, and whole octets.
Checked<void> check_pair(const PKIMessage& message) {
  const bool algorithm = message.header.protectionAlg.has_value();
  const bool bits = message.protection.has_value();
  if (!algorithm || !bits) {
    return reject(PKIFailureInfo::badMessageCheck, algorithm ? "protectionAlg without protection"
                                                   : bits    ? "protection without protectionAlg"
                                                             : "the message is not protected");
  }
  if (message.protection->unused_bits != 0) {
    return reject(PKIFailureInfo::badMessageCheck, "protection does not end at an octet");
  }
  return {};
}

// What the protection is computed over: as received, else as encode() would send it, in `made`.
ByteView protected_octets(const PKIMessage& message, Bytes& made) {
  if (!message.protected_part.empty()) return message.protected_part;
  made = encode_protected_part(message.header, message.body);
  return made;
}

// Also the ones that we refuse to verify: what they are is one question, what is allowed another.
bool is_signature(const Oid& algorithm) {
  static const std::array kSignatures = {&oid::sha1WithRSAEncryption,
                                         &oid::sha224WithRSAEncryption,
                                         &oid::sha256WithRSAEncryption,
                                         &oid::sha384WithRSAEncryption,
                                         &oid::sha512WithRSAEncryption,
                                         &oid::id_RSASSA_PSS,
                                         &oid::id_RSASSA_PSS_SHAKE128,
                                         &oid::id_RSASSA_PSS_SHAKE256,
                                         &oid::ecdsa_with_SHA1,
                                         &oid::ecdsa_with_SHA224,
                                         &oid::ecdsa_with_SHA256,
                                         &oid::ecdsa_with_SHA384,
                                         &oid::ecdsa_with_SHA512,
                                         &oid::id_ecdsa_with_shake128,
                                         &oid::id_ecdsa_with_shake256,
                                         &oid::id_ecdsa_with_sha3_224,
                                         &oid::id_ecdsa_with_sha3_256,
                                         &oid::id_ecdsa_with_sha3_384,
                                         &oid::id_ecdsa_with_sha3_512,
                                         &oid::id_rsassa_pkcs1_v1_5_with_sha3_224,
                                         &oid::id_rsassa_pkcs1_v1_5_with_sha3_256,
                                         &oid::id_rsassa_pkcs1_v1_5_with_sha3_384,
                                         &oid::id_rsassa_pkcs1_v1_5_with_sha3_512,
                                         &oid::id_Ed25519,
                                         &oid::id_Ed448};
  return std::any_of(kSignatures.begin(), kSignatures.end(),
                     [&](const Oid* known) { return *known == algorithm; });
}

ByteView transaction_id(const PKIHeader& header) {
  return header.transactionID ? ByteView(*header.transactionID) : ByteView();
}

std::optional<Protection> protection_of(Bytes bits) { return Protection{std::move(bits), 0}; }

}  // namespace

ProtectionKind protection_kind(const PKIMessage& message) {
  const auto& algorithm = message.header.protectionAlg;
  if (!algorithm) return message.protection ? ProtectionKind::other : ProtectionKind::none;
  const auto& id = algorithm->algorithm;
  if (is_signature(id)) return ProtectionKind::signature;
  if (id == oid::id_PasswordBasedMac) return ProtectionKind::password_based_mac;
  if (id == oid::id_PBMAC1) return ProtectionKind::pbmac1;
  if (id == oid::id_DHBasedMac) return ProtectionKind::dh_based_mac;
  if (id == oid::id_KemBasedMac) return ProtectionKind::kem_based_mac;
  return is_mac(id) ? ProtectionKind::bare_mac : ProtectionKind::other;
}

Outcome<void> verify_signature_protection(const PKIMessage& message, const PublicKey& key) {
  TRY(check_pair(message));
  const auto& algorithm = *message.header.protectionAlg;
  const auto scheme = signature_scheme(algorithm);
  if (!scheme) return reject(PKIFailureInfo::badAlg, scheme.error().what);
  if (!fits(*scheme, key)) {
    return reject(PKIFailureInfo::badAlg, "protectionAlg does not fit the key of the signer");
  }
  Bytes made;
  const auto octets = protected_octets(message, made);
  ASSIGN_OR_RETURN(const Verdict verdict, verify(key, algorithm, octets, message.protection->bits));
  if (verdict == Verdict::good) return {};
  return reject(PKIFailureInfo::badMessageCheck, "the signature of the message is wrong");
}

Checked<MacParameters> protection_mac(const PKIMessage& message, const MacLimits& limits) {
  TRY(check_pair(message));
  auto parameters = mac_parameters(*message.header.protectionAlg, limits);
  if (!parameters) return reject(PKIFailureInfo::badAlg, parameters.error().what);
  return *std::move(parameters);
}

Outcome<void> verify_mac_protection(const PKIMessage& message, const MacParameters& parameters,
                                    ByteView secret) {
  TRY(check_pair(message));
  Bytes made;
  ASSIGN_OR_RETURN(const Bytes mac, compute_mac(parameters, secret, transaction_id(message.header),
                                                protected_octets(message, made)));
  if (same_mac(mac, message.protection->bits)) return {};
  return reject(PKIFailureInfo::badMessageCheck, "the MAC of the message is wrong");
}

Outcome<void> verify_mac_protection(const PKIMessage& message, ByteView secret,
                                    const MacLimits& limits) {
  ASSIGN_OR_RETURN(const auto parameters, protection_mac(message, limits));
  return verify_mac_protection(message, parameters, secret);
}

Result<Bytes> protect_with_signature(PKIHeader header, const PKIBody& body, const Signer& signer,
                                     const std::vector<CMPCertificate>& extraCerts) {
  header.protectionAlg = signer.algorithm();
  Bytes part = encode_protected_part(header, body);
  ASSIGN_OR_RETURN(Bytes signature, signer.sign(part));
  return encode(std::move(part), protection_of(std::move(signature)), extraCerts);
}

Result<Bytes> protect_with_mac(PKIHeader header, const PKIBody& body,
                               const MacParameters& parameters, ByteView secret,
                               const std::vector<CMPCertificate>& extraCerts) {
  header.protectionAlg = to_algorithm(parameters);
  Bytes part = encode_protected_part(header, body);
  ASSIGN_OR_RETURN(Bytes mac, compute_mac(parameters, secret, transaction_id(header), part));
  return encode(std::move(part), protection_of(std::move(mac)), extraCerts);
}

Bytes leave_unprotected(PKIHeader header, const PKIBody& body,
                        const std::vector<CMPCertificate>& extraCerts) {
  header.protectionAlg.reset();
  return encode(encode_protected_part(header, body), std::nullopt, extraCerts);
}

Checked<Bytes> cert_hash(const Certificate& certificate,
                         const std::optional<AlgorithmIdentifier>& hashAlg) {
  if (hashAlg) {
    const auto digest = digest_by_oid(hashAlg->algorithm);
    if (!digest) return reject(PKIFailureInfo::badAlg, "hashAlg is not known here");
    return hash(*digest, certificate.der());
  }
  // RFC 9810 5.3.18: "the hash of the certificate, using the same hash algorithm as is used to
  // create and verify the certificate signature"; for EdDSA the scheme names the one of RFC 9481.
  const auto scheme = signature_scheme(certificate.signature_algorithm());
  if (!scheme) {
    return reject(PKIFailureInfo::badAlg,
                  "the signature of the certificate gives no hash for certHash");
  }
  return hash(scheme->digest, certificate.der());
}

}  // namespace cmpost
