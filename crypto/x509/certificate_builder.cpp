#include "crypto/x509/certificate_builder.h"

#include "crypto/x509/x509_parts.h"

namespace cmpost {
namespace {

Result<void> check(const TBSCertificate& tbs) {
  ByteView serial = tbs.serialNumber;
  while (!serial.empty() && serial[0] == 0) serial = serial.subspan(1);
  // RFC 5280 4.1.2.2: "The serial number MUST be a positive integer" and "Conforming CAs MUST NOT
  // use serialNumber values longer than 20 octets"; a first bit of one costs an octet.
  if (serial.empty()) return hold("certificate: the serial number is zero");
  if (serial.size() + (serial[0] >= 0x80 ? 1 : 0) > 20) {
    return hold("certificate: the serial number is longer than 20 octets");
  }
  if (tbs.notAfter < tbs.notBefore) return hold("certificate: notAfter is before notBefore");
  // RFC 5280 4.1.2.4: "The issuer field MUST contain a non-empty distinguished name (DN)."
  if (tbs.issuer.is_null_dn()) return hold("certificate: the issuer is empty");
  der::Reader spki(tbs.subjectPublicKeyInfo);
  if (!read_spki(spki) || !spki.at_end()) {
    return hold("certificate: subjectPublicKeyInfo is malformed");
  }
  return {};
}

void write_tbs(der::Writer& w, const TBSCertificate& tbs, const AlgorithmIdentifier& signature) {
  w.constructed(der::kSequence, [&] {
    w.constructed(der::context_constructed(0), [&] { w.integer(2); });  // v3
    w.unsigned_integer(tbs.serialNumber);
    write(w, signature);
    w.raw(tbs.issuer.der());
    w.constructed(der::kSequence, [&] {
      w.x509_time(tbs.notBefore);
      w.x509_time(tbs.notAfter);
    });
    w.raw(tbs.subject.der());
    w.raw(tbs.subjectPublicKeyInfo);
    if (tbs.extensions.empty()) return;
    w.constructed(der::context_constructed(3), [&] { write(w, tbs.extensions); });
  });
}

}  // namespace

Result<Bytes> encode_tbs(const TBSCertificate& tbs, const AlgorithmIdentifier& signature) {
  TRY(check(tbs));
  der::Writer to_be_signed;
  write_tbs(to_be_signed, tbs, signature);
  return std::move(to_be_signed).take();
}

Result<Bytes> sign_tbs(ByteView tbs, const Signer& signer) { return assemble_signed(tbs, signer); }

Result<Bytes> sign_certificate(const TBSCertificate& tbs, const Signer& signer) {
  ASSIGN_OR_RETURN(const Bytes to_be_signed, encode_tbs(tbs, signer.algorithm()));
  return sign_tbs(to_be_signed, signer);
}

}  // namespace cmpost
