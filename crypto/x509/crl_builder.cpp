// CRLs (RFC 5280 5), written and read.
#include <algorithm>
#include <array>
#include <utility>

#include "asn1/pem.h"
#include "crypto/x509/certificate_builder.h"
#include "crypto/x509/x509_parts.h"

namespace cmpost {
namespace {

constexpr der::Tag kEnumerated = 0x0a;
constexpr der::Tag kUri = 0x86;  // uniformResourceIdentifier [6] of GeneralName

constexpr std::array<std::pair<CRLReason, std::string_view>, 10> kReasons = {{
    {CRLReason::unspecified, "unspecified"},
    {CRLReason::keyCompromise, "keyCompromise"},
    {CRLReason::cACompromise, "cACompromise"},
    {CRLReason::affiliationChanged, "affiliationChanged"},
    {CRLReason::superseded, "superseded"},
    {CRLReason::cessationOfOperation, "cessationOfOperation"},
    {CRLReason::certificateHold, "certificateHold"},
    {CRLReason::removeFromCRL, "removeFromCRL"},
    {CRLReason::privilegeWithdrawn, "privilegeWithdrawn"},
    {CRLReason::aACompromise, "aACompromise"},
}};

Extension reason_extension(CRLReason reason) {
  der::Writer w;
  w.integer(static_cast<std::int64_t>(reason), kEnumerated);
  return {oid::id_ce_cRLReasons, false, std::move(w).take()};
}

Extension invalidity_date_extension(Time date) {
  der::Writer w;
  w.generalized_time(date);
  return {oid::id_ce_invalidityDate, false, std::move(w).take()};
}

Bytes crl_number(std::uint64_t number) {
  std::array<std::uint8_t, sizeof number> magnitude{};
  for (std::size_t i = magnitude.size(); i-- > 0; number >>= 8) {
    magnitude[i] = static_cast<std::uint8_t>(number);
  }
  der::Writer w;
  w.unsigned_integer(magnitude);
  return std::move(w).take();
}

// DistributionPointName with one URI: fullName [0] GeneralNames, as the content of
// distributionPoint [0].
void write_full_name(der::Writer& w, std::string_view uri) {
  w.constructed(der::context_constructed(0), [&] {
    w.constructed(der::context_constructed(0), [&] { w.primitive(kUri, view_of(uri)); });
  });
}

Extension freshest_crl_extension(std::string_view uri) {
  der::Writer w;
  w.constructed(der::kSequence,
                [&] { w.constructed(der::kSequence, [&] { write_full_name(w, uri); }); });
  return {oid::id_ce_freshestCRL, false, std::move(w).take()};
}

Extensions entry_extensions(const RevokedCertificate& revoked) {
  Extensions extensions;
  // RFC 5280 5.3.1: "the reason code CRL entry extension SHOULD be absent instead of using the
  // unspecified (0) reasonCode value".
  if (revoked.reason && *revoked.reason != CRLReason::unspecified) {
    extensions.push_back(reason_extension(*revoked.reason));
  }
  if (revoked.invalidityDate) {
    extensions.push_back(invalidity_date_extension(*revoked.invalidityDate));
  }
  return extensions;
}

void write_entry(der::Writer& w, const RevokedCertificate& revoked) {
  w.constructed(der::kSequence, [&] {
    w.big_integer(revoked.userCertificate);
    w.x509_time(revoked.revocationDate);
    const auto extensions = entry_extensions(revoked);
    if (!extensions.empty()) write(w, extensions);
  });
}

Extensions crl_extensions(const TBSCertList& tbs) {
  Extensions extensions;
  if (!tbs.authorityKeyIdentifier.empty()) {
    extensions.push_back(authority_key_identifier_extension(tbs.authorityKeyIdentifier));
  }
  extensions.push_back({oid::id_ce_cRLNumber, false, crl_number(tbs.crlNumber)});
  if (tbs.baseCRLNumber) {
    extensions.push_back({oid::id_ce_deltaCRLIndicator, true, crl_number(*tbs.baseCRLNumber)});
  }
  if (!tbs.distributionPoint.empty()) {
    extensions.push_back({oid::id_ce_issuingDistributionPoint, true,
                          issuing_distribution_point(tbs.distributionPoint)});
  }
  // RFC 5280 5.2.6: "This extension MUST NOT appear in delta CRLs."
  if (!tbs.freshestCRL.empty() && !tbs.baseCRLNumber) {
    extensions.push_back(freshest_crl_extension(tbs.freshestCRL));
  }
  return extensions;
}

void write_tbs(der::Writer& w, const TBSCertList& tbs, const AlgorithmIdentifier& signature) {
  w.constructed(der::kSequence, [&] {
    w.integer(1);  // v2
    write(w, signature);
    w.raw(tbs.issuer.der());
    w.x509_time(tbs.thisUpdate);
    w.x509_time(tbs.nextUpdate);
    // RFC 5280 5.1.2.6: "When there are no revoked certificates, the revoked certificates list MUST
    // be absent."
    if (!tbs.revokedCertificates.empty()) {
      w.constructed(der::kSequence, [&] {
        for (const auto& revoked : tbs.revokedCertificates) write_entry(w, revoked);
      });
    }
    w.constructed(der::context_constructed(0), [&] { write(w, crl_extensions(tbs)); });
  });
}

der::Parsed<void> read_entry_extension(RevokedCertificate& revoked, const Extension& extension,
                                       const der::Reader& where) {
  der::Reader value(extension.extnValue);
  if (extension.extnID == oid::id_ce_cRLReasons) {
    ASSIGN_OR_RETURN(const std::int64_t reason, value.integer(kEnumerated));
    revoked.reason = crl_reason(reason);
    return value.finish();
  }
  if (extension.extnID == oid::id_ce_invalidityDate) {
    ASSIGN_OR_RETURN(revoked.invalidityDate, value.generalized_time());
    return value.finish();
  }
  if (extension.critical) return where.fault("unknown critical " + extension.extnID.name());
  return {};
}

der::Parsed<RevokedCertificate> read_entry(der::Reader& list) {
  ASSIGN_OR_RETURN(der::Reader inside, list.enter(der::kSequence));
  RevokedCertificate revoked;
  ASSIGN_OR_RETURN(revoked.userCertificate, inside.big_integer());
  ASSIGN_OR_RETURN(revoked.revocationDate, read_x509_time(inside));
  if (inside.at_end()) return revoked;
  ASSIGN_OR_RETURN(const Extensions extensions, read_extensions(inside));
  TRY(inside.finish());
  for (const auto& extension : extensions) TRY(read_entry_extension(revoked, extension, list));
  return revoked;
}

// CRLNumber has at most 20 octets; one beyond 64 bits is left unread.
der::Parsed<std::optional<std::uint64_t>> read_crl_number(ByteView extnValue) {
  der::Reader value(extnValue);
  ASSIGN_OR_RETURN(const Bytes content, value.big_integer());
  TRY(value.finish());
  if ((content[0] & 0x80) != 0) return value.fault("cRLNumber is negative");
  if (content.size() > 9 || (content.size() == 9 && content[0] != 0)) {
    return std::optional<std::uint64_t>();
  }
  std::uint64_t number = 0;
  for (const auto octet : content) number = number << 8 | octet;
  return std::optional(number);
}

der::Parsed<void> read_crl_extensions(CertificateList& crl, der::Reader& tbs) {
  ASSIGN_OR_RETURN(auto inside, tbs.enter_optional(der::context_constructed(0)));
  if (!inside) return {};
  ASSIGN_OR_RETURN(const Extensions extensions, read_extensions(*inside));
  TRY(inside->finish());
  for (const auto& extension : extensions) {
    if (extension.extnID == oid::id_ce_cRLNumber) {
      ASSIGN_OR_RETURN(crl.crlNumber, read_crl_number(extension.extnValue));
    } else if (extension.extnID == oid::id_ce_deltaCRLIndicator) {
      ASSIGN_OR_RETURN(crl.baseCRLNumber, read_crl_number(extension.extnValue));
    } else if (extension.extnID == oid::id_ce_issuingDistributionPoint) {
      crl.issuingDistributionPoint = extension.extnValue;
    } else if (extension.critical && extension.extnID != oid::id_ce_authorityKeyIdentifier) {
      return tbs.fault("unknown critical " + extension.extnID.name());
    }
  }
  return {};
}

der::Parsed<void> read_entries(CertificateList& crl, der::Reader& tbs) {
  ASSIGN_OR_RETURN(auto list, tbs.enter_optional(der::kSequence));
  while (list && !list->at_end()) {
    ASSIGN_OR_RETURN(RevokedCertificate revoked, read_entry(*list));
    crl.revokedCertificates.push_back(std::move(revoked));
  }
  return {};
}

der::Parsed<void> read_tbs(CertificateList& crl, der::Reader tbs) {
  if (tbs.peek() == der::kInteger) {
    ASSIGN_OR_RETURN(const std::int64_t version, tbs.integer());
    if (version != 1) return tbs.fault("unknown version of CertificateList");
  }
  ASSIGN_OR_RETURN(const AlgorithmIdentifier signature, read_algorithm(tbs));
  if (signature != crl.signatureAlgorithm) return tbs.fault("the two signature algorithms differ");
  ASSIGN_OR_RETURN(crl.issuer, Name::read(tbs));
  ASSIGN_OR_RETURN(crl.thisUpdate, read_x509_time(tbs));
  if (tbs.peek() == der::kUtcTime || tbs.peek() == der::kGeneralizedTime) {
    ASSIGN_OR_RETURN(crl.nextUpdate, read_x509_time(tbs));
  }
  TRY(read_entries(crl, tbs));
  TRY(read_crl_extensions(crl, tbs));
  return tbs.finish();
}

der::Parsed<CertificateList> read_crl(ByteView der) {
  der::Reader reader(der);
  const der::Reader outer = reader;
  ASSIGN_OR_RETURN(Signed parts, read_signed(reader));
  TRY(reader.finish());
  CertificateList crl;
  crl.der = to_bytes(der);
  crl.tbs = to_bytes(parts.toBeSigned.whole);
  crl.signatureAlgorithm = std::move(parts.signatureAlgorithm);
  crl.signature = to_bytes(parts.signature);
  TRY(read_tbs(crl, outer.inside(parts.toBeSigned)));
  return crl;
}

}  // namespace

Bytes issuing_distribution_point(std::string_view uri) {
  der::Writer w;
  if (!uri.empty()) w.constructed(der::kSequence, [&] { write_full_name(w, uri); });
  return std::move(w).take();
}

std::string to_string(CRLReason reason) {
  for (const auto& [known, name] : kReasons) {
    if (known == reason) return std::string(name);
  }
  return std::to_string(static_cast<int>(reason));
}

std::optional<CRLReason> crl_reason(std::string_view name) {
  for (const auto& [reason, known] : kReasons) {
    if (known == name) return reason;
  }
  return std::nullopt;
}

std::optional<CRLReason> crl_reason(std::int64_t value) {
  for (const auto& [reason, name] : kReasons) {
    if (static_cast<std::int64_t>(reason) == value) return reason;
  }
  return std::nullopt;
}

Result<Bytes> sign_crl(const TBSCertList& tbs, const Signer& signer) {
  if (tbs.issuer.is_null_dn()) return hold("CRL: the issuer is empty");
  for (const auto& revoked : tbs.revokedCertificates) {
    if (revoked.userCertificate.empty()) return hold("CRL: a serial number is empty");
  }
  der::Writer to_be_signed;
  write_tbs(to_be_signed, tbs, signer.algorithm());
  return assemble_signed(to_be_signed.bytes(), signer);
}

Result<CertificateList> CertificateList::from_der(ByteView der) {
  auto crl = read_crl(der);
  if (!crl) return hold("CRL: " + to_string(crl.error()));
  return *std::move(crl);
}

Result<CertificateList> CertificateList::from_file(ByteView contents) {
  if (!contents.empty() && contents.front() == der::kSequence) return from_der(contents);
  ASSIGN_OR_RETURN(const auto blocks, pem_blocks(text_of(contents)));
  const auto block = std::ranges::find(blocks, "X509 CRL", &PemBlock::label);
  if (block == blocks.end()) return hold("there is no CRL in it");
  ASSIGN_OR_RETURN(const Bytes der, decode(*block));
  return from_der(der);
}

}  // namespace cmpost
