#include "asn1/oid.h"

#include <algorithm>
#include <map>

#include "base/result.h"

namespace cmpost {
namespace {

constexpr std::size_t kMaxArcDigits = 50;

// An arc may be larger than any integer type (2.25 takes a UUID), so it is kept as digits of base
// 128, the least significant first: what DER wants but for order and continuation bits.
struct Arc {
  std::array<std::uint8_t, 24> digits{};  // 10^50 < 128^24
  std::size_t size = 0;

  constexpr void times_plus(unsigned factor, unsigned carry) {
    for (std::size_t i = 0; i < size; ++i) {
      carry += digits[i] * factor;
      digits[i] = carry & 0x7f;
      carry >>= 7;
    }
    for (; carry != 0; carry >>= 7) digits[size++] = carry & 0x7f;
  }
};

// The arc "113549"; nullopt when it is not a decimal number without leading zeros.
constexpr std::optional<Arc> parse_arc(std::string_view decimal) {
  if (decimal.empty() || decimal.size() > kMaxArcDigits) return std::nullopt;
  if (decimal[0] == '0' && decimal.size() > 1) return std::nullopt;
  Arc arc;
  for (const char c : decimal) {
    if (c < '0' || c > '9') return std::nullopt;
    arc.times_plus(10, static_cast<unsigned>(c - '0'));
  }
  return arc;
}

constexpr std::string_view cut_arc(std::string_view& dotted) {
  const auto dot = dotted.find('.');
  const auto arc = dotted.substr(0, dot);
  dotted = dot == std::string_view::npos ? std::string_view() : dotted.substr(dot + 1);
  return arc;
}

// The first two arcs share one subidentifier (X.690 8.19.4).
constexpr std::optional<Arc> first_subidentifier(std::string_view& dotted) {
  const auto root = cut_arc(dotted);
  if (root.size() != 1 || root[0] < '0' || root[0] > '2') return std::nullopt;
  auto second = parse_arc(cut_arc(dotted));
  if (!second) return std::nullopt;
  const bool below_forty = second->size == 0 || (second->size == 1 && second->digits[0] < 40);
  if (root[0] != '2' && !below_forty) return std::nullopt;
  second->times_plus(1, 40U * static_cast<unsigned>(root[0] - '0'));
  return second;
}

bool well_formed(ByteView content) {
  if (content.empty() || content.size() > Oid::kMaxContent) return false;
  bool at_start = true;
  for (const auto octet : content) {
    // X.690 8.19.2: "the leading octet of the subidentifier shall not have the value 80".
    if (at_start && octet == 0x80) return false;
    at_start = octet < 0x80;
  }
  return at_start;
}

// Decimal digits of an arc given as base 128 digits with continuation bits.
std::string decimal(std::string_view arc, unsigned subtract) {
  std::string digits = "0";  // decimal, least significant first, as values 0..9 once printed
  for (const char c : arc) {
    unsigned carry = static_cast<unsigned char>(c) & 0x7fU;
    for (char& digit : digits) {
      carry += static_cast<unsigned>(digit - '0') * 128;
      digit = static_cast<char>('0' + carry % 10);
      carry /= 10;
    }
    for (; carry != 0; carry /= 10) digits.push_back(static_cast<char>('0' + carry % 10));
  }
  // `subtract` is 0, 40 or 80 and at most the value.
  for (std::size_t i = 1; subtract != 0 && i < digits.size(); ++i) {
    const unsigned low = subtract / 10;
    const bool borrow = static_cast<unsigned>(digits[i] - '0') < low;
    digits[i] = static_cast<char>(digits[i] + (borrow ? 10 : 0) - static_cast<char>(low));
    subtract = borrow ? 10 : 0;
  }
  while (digits.size() > 1 && digits.back() == '0') digits.pop_back();
  std::reverse(digits.begin(), digits.end());
  return digits;
}

std::string first_arcs(std::string_view arc) {
  const auto octet = static_cast<unsigned char>(arc[0]);
  const unsigned root = arc.size() > 1 ? 2 : std::min(octet / 40, 2);
  return std::to_string(root) + "." + decimal(arc, root * 40);
}

}  // namespace

struct ConstantOid {
  static constexpr bool append(Oid& oid, const Arc& arc) {
    const std::size_t size = arc.size == 0 ? 1 : arc.size;
    if (oid.size_ + size > Oid::kMaxContent) return false;
    for (std::size_t i = size; i-- > 0;) {
      oid.octets_[oid.size_++] = static_cast<std::uint8_t>(arc.digits[i] | (i > 0 ? 0x80 : 0));
    }
    return true;
  }

  static constexpr std::optional<Oid> parse(std::string_view dotted) {
    if (dotted.empty() || dotted.back() == '.') return std::nullopt;
    Oid oid;
    const auto first = first_subidentifier(dotted);
    if (!first || !append(oid, *first)) return std::nullopt;
    while (!dotted.empty()) {
      const auto arc = parse_arc(cut_arc(dotted));
      if (!arc || !append(oid, *arc)) return std::nullopt;
    }
    return oid;
  }
};

Oid::Oid(std::string_view dotted) {
  const auto parsed = ConstantOid::parse(dotted);
  CHECK(parsed.has_value());
  *this = *parsed;
}

std::optional<Oid> Oid::from_content(ByteView content) {
  if (!well_formed(content)) return std::nullopt;
  Oid oid;
  std::copy(content.begin(), content.end(), oid.octets_.begin());
  oid.size_ = static_cast<std::uint8_t>(content.size());
  return oid;
}

std::optional<Oid> Oid::from_dotted(std::string_view dotted) { return ConstantOid::parse(dotted); }

std::string Oid::dotted() const {
  std::string text;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < size_; ++i) {
    if (octets_[i] >= 0x80) continue;
    const auto arc = text_of(content().subspan(begin, i + 1 - begin));
    text += text.empty() ? first_arcs(arc) : "." + decimal(arc, 0);
    begin = i + 1;
  }
  return text;
}

namespace oid {

#define CMPOST_OIDS(X)                                             \
  X(rsaEncryption, "1.2.840.113549.1.1.1")                         \
  X(id_RSASSA_PSS, "1.2.840.113549.1.1.10")                        \
  X(id_ecPublicKey, "1.2.840.10045.2.1")                           \
  X(id_Ed25519, "1.3.101.112")                                     \
  X(id_Ed448, "1.3.101.113")                                       \
  X(id_X25519, "1.3.101.110")                                      \
  X(id_X448, "1.3.101.111")                                        \
  X(sha1WithRSAEncryption, "1.2.840.113549.1.1.5")                 \
  X(sha224WithRSAEncryption, "1.2.840.113549.1.1.14")              \
  X(sha256WithRSAEncryption, "1.2.840.113549.1.1.11")              \
  X(sha384WithRSAEncryption, "1.2.840.113549.1.1.12")              \
  X(sha512WithRSAEncryption, "1.2.840.113549.1.1.13")              \
  X(ecdsa_with_SHA1, "1.2.840.10045.4.1")                          \
  X(ecdsa_with_SHA224, "1.2.840.10045.4.3.1")                      \
  X(ecdsa_with_SHA256, "1.2.840.10045.4.3.2")                      \
  X(ecdsa_with_SHA384, "1.2.840.10045.4.3.3")                      \
  X(ecdsa_with_SHA512, "1.2.840.10045.4.3.4")                      \
  X(id_RSASSA_PSS_SHAKE128, "1.3.6.1.5.5.7.6.30")                  \
  X(id_RSASSA_PSS_SHAKE256, "1.3.6.1.5.5.7.6.31")                  \
  X(id_ecdsa_with_shake128, "1.3.6.1.5.5.7.6.32")                  \
  X(id_ecdsa_with_shake256, "1.3.6.1.5.5.7.6.33")                  \
  X(id_mgf1, "1.2.840.113549.1.1.8")                               \
  X(id_sha1, "1.3.14.3.2.26")                                      \
  X(id_sha224, "2.16.840.1.101.3.4.2.4")                           \
  X(id_sha256, "2.16.840.1.101.3.4.2.1")                           \
  X(id_sha384, "2.16.840.1.101.3.4.2.2")                           \
  X(id_sha512, "2.16.840.1.101.3.4.2.3")                           \
  X(id_shake128, "2.16.840.1.101.3.4.2.11")                        \
  X(id_shake256, "2.16.840.1.101.3.4.2.12")                        \
  X(secp256r1, "1.2.840.10045.3.1.7")                              \
  X(secp384r1, "1.3.132.0.34")                                     \
  X(secp521r1, "1.3.132.0.35")                                     \
  X(id_PasswordBasedMac, "1.2.840.113533.7.66.13")                 \
  X(id_DHBasedMac, "1.2.840.113533.7.66.30")                       \
  X(id_KemBasedMac, "1.2.840.113533.7.66.16")                      \
  X(id_PBMAC1, "1.2.840.113549.1.5.14")                            \
  X(id_PBKDF2, "1.2.840.113549.1.5.12")                            \
  X(hMAC_SHA1, "1.3.6.1.5.5.8.1.2")                                \
  X(id_hmacWithSHA1, "1.2.840.113549.2.7")                         \
  X(id_hmacWithSHA224, "1.2.840.113549.2.8")                       \
  X(id_hmacWithSHA256, "1.2.840.113549.2.9")                       \
  X(id_hmacWithSHA384, "1.2.840.113549.2.10")                      \
  X(id_hmacWithSHA512, "1.2.840.113549.2.11")                      \
  X(id_hmacWithSHA3_224, "2.16.840.1.101.3.4.2.13")                \
  X(id_hmacWithSHA3_256, "2.16.840.1.101.3.4.2.14")                \
  X(id_hmacWithSHA3_384, "2.16.840.1.101.3.4.2.15")                \
  X(id_hmacWithSHA3_512, "2.16.840.1.101.3.4.2.16")                \
  X(id_KMACWithSHAKE128, "2.16.840.1.101.3.4.2.19")                \
  X(id_KMACWithSHAKE256, "2.16.840.1.101.3.4.2.20")                \
  X(id_aes128_GMAC, "2.16.840.1.101.3.4.1.9")                      \
  X(id_aes192_GMAC, "2.16.840.1.101.3.4.1.29")                     \
  X(id_aes256_GMAC, "2.16.840.1.101.3.4.1.49")                     \
  X(id_sha3_224, "2.16.840.1.101.3.4.2.7")                         \
  X(id_sha3_256, "2.16.840.1.101.3.4.2.8")                         \
  X(id_sha3_384, "2.16.840.1.101.3.4.2.9")                         \
  X(id_sha3_512, "2.16.840.1.101.3.4.2.10")                        \
  X(id_ecdsa_with_sha3_224, "2.16.840.1.101.3.4.3.9")              \
  X(id_ecdsa_with_sha3_256, "2.16.840.1.101.3.4.3.10")             \
  X(id_ecdsa_with_sha3_384, "2.16.840.1.101.3.4.3.11")             \
  X(id_ecdsa_with_sha3_512, "2.16.840.1.101.3.4.3.12")             \
  X(id_rsassa_pkcs1_v1_5_with_sha3_224, "2.16.840.1.101.3.4.3.13") \
  X(id_rsassa_pkcs1_v1_5_with_sha3_256, "2.16.840.1.101.3.4.3.14") \
  X(id_rsassa_pkcs1_v1_5_with_sha3_384, "2.16.840.1.101.3.4.3.15") \
  X(id_rsassa_pkcs1_v1_5_with_sha3_512, "2.16.840.1.101.3.4.3.16") \
  X(id_alg_hkdf_with_sha256, "1.2.840.113549.1.9.16.3.28")         \
  X(id_alg_hkdf_with_sha384, "1.2.840.113549.1.9.16.3.29")         \
  X(id_alg_hkdf_with_sha512, "1.2.840.113549.1.9.16.3.30")         \
  X(id_kdf_kdf2, "1.3.133.16.840.9.44.1.1")                        \
  X(id_kdf_kdf3, "1.3.133.16.840.9.44.1.2")                        \
  X(id_kem_rsa, "1.0.18033.2.2.4")                                 \
  X(id_rsa_kem_spki, "1.2.840.113549.1.9.16.3.14")                 \
  X(id_alg_ml_kem_512, "2.16.840.1.101.3.4.4.1")                   \
  X(id_alg_ml_kem_768, "2.16.840.1.101.3.4.4.2")                   \
  X(id_alg_ml_kem_1024, "2.16.840.1.101.3.4.4.3")                  \
  X(id_authEnvelopedData, "1.2.840.113549.1.9.16.1.23")            \
  X(id_ct_KP_aKeyPackage, "2.16.840.1.101.2.1.2.78.5")             \
  X(id_contentType, "1.2.840.113549.1.9.3")                        \
  X(id_messageDigest, "1.2.840.113549.1.9.4")                      \
  X(id_signingTime, "1.2.840.113549.1.9.5")                        \
  X(id_aes128_CBC, "2.16.840.1.101.3.4.1.2")                       \
  X(id_aes192_CBC, "2.16.840.1.101.3.4.1.22")                      \
  X(id_aes256_CBC, "2.16.840.1.101.3.4.1.42")                      \
  X(id_aes128_GCM, "2.16.840.1.101.3.4.1.6")                       \
  X(id_aes192_GCM, "2.16.840.1.101.3.4.1.26")                      \
  X(id_aes256_GCM, "2.16.840.1.101.3.4.1.46")                      \
  X(id_aes128_wrap, "2.16.840.1.101.3.4.1.5")                      \
  X(id_aes192_wrap, "2.16.840.1.101.3.4.1.25")                     \
  X(id_aes256_wrap, "2.16.840.1.101.3.4.1.45")                     \
  X(id_RSAES_OAEP, "1.2.840.113549.1.1.7")                         \
  X(dhSinglePass_stdDH_sha1kdf_scheme, "1.3.133.16.840.63.0.2")    \
  X(dhSinglePass_stdDH_sha256kdf_scheme, "1.3.132.1.11.1")         \
  X(dhSinglePass_stdDH_sha384kdf_scheme, "1.3.132.1.11.2")         \
  X(dhSinglePass_stdDH_sha512kdf_scheme, "1.3.132.1.11.3")         \
  X(id_ori_kem, "1.2.840.113549.1.9.16.13.3")                      \
  X(id_ce_subjectKeyIdentifier, "2.5.29.14")                       \
  X(id_ce_keyUsage, "2.5.29.15")                                   \
  X(id_ce_subjectAltName, "2.5.29.17")                             \
  X(id_ce_issuerAltName, "2.5.29.18")                              \
  X(id_ce_subjectDirectoryAttributes, "2.5.29.9")                  \
  X(id_ce_basicConstraints, "2.5.29.19")                           \
  X(id_ce_cRLNumber, "2.5.29.20")                                  \
  X(id_ce_cRLReasons, "2.5.29.21")                                 \
  X(id_ce_invalidityDate, "2.5.29.24")                             \
  X(id_ce_deltaCRLIndicator, "2.5.29.27")                          \
  X(id_ce_issuingDistributionPoint, "2.5.29.28")                   \
  X(id_ce_certificateIssuer, "2.5.29.29")                          \
  X(id_ce_nameConstraints, "2.5.29.30")                            \
  X(id_ce_cRLDistributionPoints, "2.5.29.31")                      \
  X(id_ce_certificatePolicies, "2.5.29.32")                        \
  X(id_ce_authorityKeyIdentifier, "2.5.29.35")                     \
  X(id_ce_extKeyUsage, "2.5.29.37")                                \
  X(id_ce_freshestCRL, "2.5.29.46")                                \
  X(id_pe_authorityInfoAccess, "1.3.6.1.5.5.7.1.1")                \
  X(anyExtendedKeyUsage, "2.5.29.37.0")                            \
  X(id_kp_serverAuth, "1.3.6.1.5.5.7.3.1")                         \
  X(id_kp_clientAuth, "1.3.6.1.5.5.7.3.2")                         \
  X(id_kp_codeSigning, "1.3.6.1.5.5.7.3.3")                        \
  X(id_kp_emailProtection, "1.3.6.1.5.5.7.3.4")                    \
  X(id_kp_timeStamping, "1.3.6.1.5.5.7.3.8")                       \
  X(id_kp_OCSPSigning, "1.3.6.1.5.5.7.3.9")                        \
  X(id_kp_cmcCA, "1.3.6.1.5.5.7.3.27")                             \
  X(id_kp_cmcRA, "1.3.6.1.5.5.7.3.28")                             \
  X(id_kp_cmKGA, "1.3.6.1.5.5.7.3.32")                             \
  X(id_at_commonName, "2.5.4.3")                                   \
  X(id_at_surname, "2.5.4.4")                                      \
  X(id_at_serialNumber, "2.5.4.5")                                 \
  X(id_at_countryName, "2.5.4.6")                                  \
  X(id_at_localityName, "2.5.4.7")                                 \
  X(id_at_stateOrProvinceName, "2.5.4.8")                          \
  X(id_at_streetAddress, "2.5.4.9")                                \
  X(id_at_organizationName, "2.5.4.10")                            \
  X(id_at_organizationalUnitName, "2.5.4.11")                      \
  X(id_at_title, "2.5.4.12")                                       \
  X(id_at_givenName, "2.5.4.42")                                   \
  X(id_at_dnQualifier, "2.5.4.46")                                 \
  X(id_at_pseudonym, "2.5.4.65")                                   \
  X(id_at_emailAddress, "1.2.840.113549.1.9.1")                    \
  X(id_at_domainComponent, "0.9.2342.19200300.100.1.25")           \
  X(id_at_userID, "0.9.2342.19200300.100.1.1")                     \
  X(id_it_caProtEncCert, "1.3.6.1.5.5.7.4.1")                      \
  X(id_it_signKeyPairTypes, "1.3.6.1.5.5.7.4.2")                   \
  X(id_it_encKeyPairTypes, "1.3.6.1.5.5.7.4.3")                    \
  X(id_it_preferredSymmAlg, "1.3.6.1.5.5.7.4.4")                   \
  X(id_it_caKeyUpdateInfo, "1.3.6.1.5.5.7.4.5")                    \
  X(id_it_currentCRL, "1.3.6.1.5.5.7.4.6")                         \
  X(id_it_unsupportedOIDs, "1.3.6.1.5.5.7.4.7")                    \
  X(id_it_keyPairParamReq, "1.3.6.1.5.5.7.4.10")                   \
  X(id_it_keyPairParamRep, "1.3.6.1.5.5.7.4.11")                   \
  X(id_it_revPassphrase, "1.3.6.1.5.5.7.4.12")                     \
  X(id_it_implicitConfirm, "1.3.6.1.5.5.7.4.13")                   \
  X(id_it_confirmWaitTime, "1.3.6.1.5.5.7.4.14")                   \
  X(id_it_origPKIMessage, "1.3.6.1.5.5.7.4.15")                    \
  X(id_it_suppLangTags, "1.3.6.1.5.5.7.4.16")                      \
  X(id_it_caCerts, "1.3.6.1.5.5.7.4.17")                           \
  X(id_it_rootCaKeyUpdate, "1.3.6.1.5.5.7.4.18")                   \
  X(id_it_certReqTemplate, "1.3.6.1.5.5.7.4.19")                   \
  X(id_it_rootCaCert, "1.3.6.1.5.5.7.4.20")                        \
  X(id_it_certProfile, "1.3.6.1.5.5.7.4.21")                       \
  X(id_it_crlStatusList, "1.3.6.1.5.5.7.4.22")                     \
  X(id_it_crls, "1.3.6.1.5.5.7.4.23")                              \
  X(id_it_KemCiphertextInfo, "1.3.6.1.5.5.7.4.24")                 \
  X(id_regCtrl_regToken, "1.3.6.1.5.5.7.5.1.1")                    \
  X(id_regCtrl_authenticator, "1.3.6.1.5.5.7.5.1.2")               \
  X(id_regCtrl_pkiPublicationInfo, "1.3.6.1.5.5.7.5.1.3")          \
  X(id_regCtrl_pkiArchiveOptions, "1.3.6.1.5.5.7.5.1.4")           \
  X(id_regCtrl_oldCertID, "1.3.6.1.5.5.7.5.1.5")                   \
  X(id_regCtrl_protocolEncrKey, "1.3.6.1.5.5.7.5.1.6")             \
  X(id_regCtrl_altCertTemplate, "1.3.6.1.5.5.7.5.1.7")             \
  X(id_regCtrl_algId, "1.3.6.1.5.5.7.5.1.11")                      \
  X(id_regCtrl_rsaKeyLen, "1.3.6.1.5.5.7.5.1.12")                  \
  X(id_regInfo_utf8Pairs, "1.3.6.1.5.5.7.5.2.1")                   \
  X(id_regInfo_certReq, "1.3.6.1.5.5.7.5.2.2")                     \
  X(id_extensionRequest, "1.2.840.113549.1.9.14")                  \
  X(id_data, "1.2.840.113549.1.7.1")                               \
  X(id_signedData, "1.2.840.113549.1.7.2")                         \
  X(id_envelopedData, "1.2.840.113549.1.7.3")                      \
  X(id_ct_encKeyWithID, "1.2.840.113549.1.9.16.1.21")

#define CMPOST_DEFINE(id, dotted) constexpr Oid id = ConstantOid::parse(dotted).value();
CMPOST_OIDS(CMPOST_DEFINE)
#undef CMPOST_DEFINE

namespace {
struct KnownOid {
  const Oid* oid;
  std::string_view name;
};
#define CMPOST_KNOWN(id, dotted) {&id, #id},
constexpr KnownOid kKnownOids[] = {CMPOST_OIDS(CMPOST_KNOWN)};
#undef CMPOST_KNOWN
#undef CMPOST_OIDS
}  // namespace

}  // namespace oid

std::string Oid::name() const {
  static const auto kNames = [] {
    std::map<Oid, std::string> names;
    for (const auto& [known, identifier] : oid::kKnownOids) {
      std::string name(identifier);
      std::replace(name.begin(), name.end(), '_', '-');
      names.emplace(*known, std::move(name));
    }
    return names;
  }();
  const auto found = kNames.find(*this);
  return found != kNames.end() ? found->second : dotted();
}

}  // namespace cmpost
