// OBJECT IDENTIFIER values and the ones we know by name.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace cmpost {

// A well-formed OBJECT IDENTIFIER, held as its DER content octets. Cheap to copy and compare.
class Oid {
 public:
  static constexpr std::size_t kMaxContent = 63;

  Oid() = default;  // empty: no identifier, never equal to a parsed one
  // "1.2.840.10045.2.1"; CHECKs that the text is well formed, so for constants only.
  explicit Oid(std::string_view dotted);
  // DER content octets (no tag, no length); nullopt when an arc is cut off or not minimal, or when
  // there are more than kMaxContent of them.
  static std::optional<Oid> from_content(ByteView content);
  static std::optional<Oid> from_dotted(std::string_view dotted);

  ByteView content() const { return {octets_.data(), size_}; }
  bool empty() const { return size_ == 0; }
  std::string dotted() const;
  // The RFC's name where we know one ("ecdsa-with-SHA256"), else the dotted form.
  std::string name() const;

  friend bool operator==(const Oid& a, const Oid& b) {
    return a.size_ == b.size_ && std::memcmp(a.octets_.data(), b.octets_.data(), a.size_) == 0;
  }
  friend auto operator<=>(const Oid&, const Oid&) = default;

 private:
  friend struct ConstantOid;                        // makes the constants below at compile time
  std::array<std::uint8_t, kMaxContent> octets_{};  // zero behind size_
  std::uint8_t size_ = 0;
};

namespace oid {
// Constants in the sense of the language: usable in static initialisers of any file.
// Spelled as in the RFCs, with '-' as '_'.
extern const Oid rsaEncryption, id_RSASSA_PSS, id_ecPublicKey, id_Ed25519, id_Ed448, id_X25519,
    id_X448;
extern const Oid sha1WithRSAEncryption, sha224WithRSAEncryption, sha256WithRSAEncryption,
    sha384WithRSAEncryption, sha512WithRSAEncryption;
extern const Oid ecdsa_with_SHA1, ecdsa_with_SHA224, ecdsa_with_SHA256, ecdsa_with_SHA384,
    ecdsa_with_SHA512;
extern const Oid id_RSASSA_PSS_SHAKE128, id_RSASSA_PSS_SHAKE256, id_ecdsa_with_shake128,
    id_ecdsa_with_shake256;
extern const Oid id_mgf1, id_sha1, id_sha224, id_sha256, id_sha384, id_sha512, id_shake128,
    id_shake256;
extern const Oid secp256r1, secp384r1, secp521r1;
extern const Oid id_PasswordBasedMac, id_DHBasedMac, id_KemBasedMac, id_PBMAC1, id_PBKDF2;
// HMAC-SHA1 has two spellings on the wire: RFC 2202's and PKCS#5's.
extern const Oid hMAC_SHA1, id_hmacWithSHA1, id_hmacWithSHA224, id_hmacWithSHA256,
    id_hmacWithSHA384, id_hmacWithSHA512;
extern const Oid id_hmacWithSHA3_224, id_hmacWithSHA3_256, id_hmacWithSHA3_384, id_hmacWithSHA3_512,
    id_KMACWithSHAKE128, id_KMACWithSHAKE256, id_aes128_GMAC, id_aes192_GMAC, id_aes256_GMAC;
extern const Oid id_sha3_224, id_sha3_256, id_sha3_384, id_sha3_512, id_ecdsa_with_sha3_224,
    id_ecdsa_with_sha3_256, id_ecdsa_with_sha3_384, id_ecdsa_with_sha3_512,
    id_rsassa_pkcs1_v1_5_with_sha3_224, id_rsassa_pkcs1_v1_5_with_sha3_256,
    id_rsassa_pkcs1_v1_5_with_sha3_384, id_rsassa_pkcs1_v1_5_with_sha3_512;
extern const Oid id_alg_hkdf_with_sha256, id_alg_hkdf_with_sha384, id_alg_hkdf_with_sha512,
    id_kdf_kdf2, id_kdf_kdf3;
extern const Oid id_kem_rsa, id_rsa_kem_spki, id_alg_ml_kem_512, id_alg_ml_kem_768,
    id_alg_ml_kem_1024;
extern const Oid id_ce_subjectKeyIdentifier, id_ce_keyUsage, id_ce_subjectAltName,
    id_ce_issuerAltName, id_ce_basicConstraints, id_ce_cRLNumber, id_ce_cRLReasons,
    id_ce_invalidityDate, id_ce_deltaCRLIndicator, id_ce_issuingDistributionPoint,
    id_ce_certificateIssuer, id_ce_nameConstraints, id_ce_cRLDistributionPoints,
    id_ce_certificatePolicies, id_ce_authorityKeyIdentifier, id_ce_extKeyUsage, id_ce_freshestCRL,
    id_ce_subjectDirectoryAttributes, id_pe_authorityInfoAccess;
extern const Oid anyExtendedKeyUsage, id_kp_serverAuth, id_kp_clientAuth, id_kp_codeSigning,
    id_kp_emailProtection, id_kp_timeStamping, id_kp_OCSPSigning, id_kp_cmcCA, id_kp_cmcRA,
    id_kp_cmKGA;
extern const Oid id_at_commonName, id_at_serialNumber, id_at_countryName, id_at_localityName,
    id_at_stateOrProvinceName, id_at_organizationName, id_at_organizationalUnitName,
    id_at_emailAddress, id_at_domainComponent, id_at_userID, id_at_givenName, id_at_surname,
    id_at_title, id_at_streetAddress, id_at_pseudonym, id_at_dnQualifier;
extern const Oid id_it_implicitConfirm, id_it_confirmWaitTime, id_it_origPKIMessage,
    id_it_suppLangTags, id_it_certProfile, id_it_unsupportedOIDs, id_it_caProtEncCert,
    id_it_signKeyPairTypes, id_it_encKeyPairTypes, id_it_preferredSymmAlg, id_it_caKeyUpdateInfo,
    id_it_currentCRL, id_it_keyPairParamReq, id_it_keyPairParamRep, id_it_revPassphrase,
    id_it_caCerts, id_it_rootCaKeyUpdate, id_it_certReqTemplate, id_it_rootCaCert,
    id_it_crlStatusList, id_it_crls, id_it_KemCiphertextInfo;
extern const Oid id_regCtrl_regToken, id_regCtrl_authenticator, id_regCtrl_pkiPublicationInfo,
    id_regCtrl_pkiArchiveOptions, id_regCtrl_oldCertID, id_regCtrl_protocolEncrKey,
    id_regCtrl_altCertTemplate, id_regCtrl_algId, id_regCtrl_rsaKeyLen;
extern const Oid id_regInfo_utf8Pairs, id_regInfo_certReq;
extern const Oid id_extensionRequest;  // PKCS#9, in a PKCS#10 request
extern const Oid id_data, id_signedData, id_envelopedData, id_authEnvelopedData, id_ct_encKeyWithID,
    id_ct_KP_aKeyPackage, id_contentType, id_messageDigest, id_signingTime;
extern const Oid id_aes128_CBC, id_aes192_CBC, id_aes256_CBC, id_aes128_GCM, id_aes192_GCM,
    id_aes256_GCM, id_aes128_wrap, id_aes192_wrap, id_aes256_wrap, id_RSAES_OAEP,
    dhSinglePass_stdDH_sha1kdf_scheme, dhSinglePass_stdDH_sha256kdf_scheme,
    dhSinglePass_stdDH_sha384kdf_scheme, dhSinglePass_stdDH_sha512kdf_scheme, id_ori_kem;
}  // namespace oid

}  // namespace cmpost

template <>
struct std::hash<cmpost::Oid> {
  std::size_t operator()(const cmpost::Oid& id) const noexcept {
    return std::hash<std::string_view>()(cmpost::text_of(id.content()));
  }
};
