// Writes and signs certificates and CRLs with our own DER writer (no encoder of OpenSSL's).
#pragma once

#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "crypto/keys/signature.h"
#include "crypto/x509/certificate.h"

namespace cmpost {

struct TBSCertificate {
  Bytes serialNumber;  // magnitude, big-endian, at most 20 octets, not zero
  Name issuer;
  Time notBefore;
  Time notAfter;
  Name subject;
  Bytes subjectPublicKeyInfo;  // whole DER
  Extensions extensions;
};
// DER of the TBSCertificate (v3) as a signer with `signature` will sign it.
Result<Bytes> encode_tbs(const TBSCertificate& tbs, const AlgorithmIdentifier& signature);
// DER of the Certificate around an encoded TBSCertificate; the signer's algorithm is the one that
// it was encoded for.
Result<Bytes> sign_tbs(ByteView tbs, const Signer& signer);
// Both at once.
Result<Bytes> sign_certificate(const TBSCertificate& tbs, const Signer& signer);

// Entries of RFC 5280 5.3.1.
enum class CRLReason {
  unspecified = 0,
  keyCompromise = 1,
  cACompromise = 2,
  affiliationChanged = 3,
  superseded = 4,
  cessationOfOperation = 5,
  certificateHold = 6,
  removeFromCRL = 8,
  privilegeWithdrawn = 9,
  aACompromise = 10
};
std::string to_string(CRLReason reason);
std::optional<CRLReason> crl_reason(std::string_view name);
std::optional<CRLReason> crl_reason(std::int64_t value);  // 7 and what is unknown: nullopt

struct RevokedCertificate {
  Bytes userCertificate;  // serial, INTEGER content octets
  Time revocationDate;
  std::optional<CRLReason> reason;  // absent or unspecified: no extension
  std::optional<Time> invalidityDate;
};
struct TBSCertList {
  Name issuer;
  Time thisUpdate;
  Time nextUpdate;
  std::vector<RevokedCertificate> revokedCertificates;
  std::uint64_t crlNumber = 0;
  Bytes authorityKeyIdentifier;  // key identifier octets
  // A delta CRL: the number of the complete one that it adds to (RFC 5280 5.2.4).
  std::optional<std::uint64_t> baseCRLNumber{};
  // URI: where this CRL is to be had. Its scope is everything that the issuer issued (5.2.5).
  std::string distributionPoint{};
  std::string freshestCRL{};  // URI of the delta CRL (5.2.6)
};
// The value of issuingDistributionPoint with that URI alone; empty for none.
Bytes issuing_distribution_point(std::string_view uri);
Result<Bytes> sign_crl(const TBSCertList& tbs, const Signer& signer);

// What we read of a CRL.
struct CertificateList {
  Bytes der;
  Name issuer;
  Time thisUpdate;
  std::optional<Time> nextUpdate;
  std::optional<std::uint64_t> crlNumber;
  std::optional<std::uint64_t> baseCRLNumber;  // a delta CRL's
  Bytes issuingDistributionPoint;              // as it stands; empty: none
  std::vector<RevokedCertificate> revokedCertificates;
  Bytes tbs;  // exact tbsCertList, what the signature is over
  AlgorithmIdentifier signatureAlgorithm;
  Bytes signature;

  // Checks the structure only, no signature. A critical extension that we do not know is an Error:
  // RFC 5280 5.2 forbids the use of such a CRL.
  static Result<CertificateList> from_der(ByteView der);
  // The contents of a file: one CRL in DER, or the first one in PEM.
  static Result<CertificateList> from_file(ByteView contents);
};

// Values of the extensions that we write (content of extnValue).
Extension key_usage_extension(std::initializer_list<KeyUsageBit> bits);
Extension key_usage_extension(const std::vector<KeyUsageBit>& bits);
Extension basic_constraints_extension(bool ca, std::optional<int> path_length);
Extension extended_key_usage_extension(const std::vector<Oid>& purposes, bool critical = false);
Extension subject_key_identifier_extension(ByteView key_identifier);
Extension authority_key_identifier_extension(ByteView key_identifier);
Extension subject_alt_name_extension(const std::vector<GeneralName>& names, bool critical);
Extension crl_distribution_point_extension(std::string_view uri);

}  // namespace cmpost
