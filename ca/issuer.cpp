#include "ca/issuer.h"

#include "asn1/name_form.h"
#include "ca/serial_number.h"

namespace cmpost {

struct Issuer::State {
  Certificate certificate;
  Signer signer;
  Extension authorityKeyIdentifier;
  Bytes keyIdentifier;
  Random& random;
  const Clock& clock;
};

namespace {

Result<void> check_issuer(const Certificate& certificate, const PrivateKey& key) {
  const std::string name = certificate.subject().text();
  if (!equal(certificate.spki(), key.public_key().spki())) {
    return hold("the CA key does not belong to the CA certificate of " + name,
                "\"key\" and \"certificate\" in [ca] must be a pair");
  }
  if (!certificate.is_ca() || !certificate.allows(KeyUsageBit::keyCertSign)) {
    return hold("the certificate of " + name + " is no CA certificate",
                "it needs basicConstraints with cA and keyUsage keyCertSign");
  }
  if (certificate.subject().is_null_dn()) return hold("the CA certificate has no subject");
  // It becomes the issuer of all certificates and CRLs.
  if (const auto wrong = wrong_form(certificate.subject())) {
    return hold(
        "the subject of the CA certificate of " + name + " cannot be read by others: " + *wrong,
        "the CA needs a certificate with a name that is well-formed");
  }
  return {};
}

// RFC 5280 4.2.1.1: "The value of the keyIdentifier field SHOULD be the value of the subject key
// identifier of the issuer's certificate" - by our own hash where that one has none.
Bytes key_identifier_of(const Certificate& certificate, const PrivateKey& key) {
  const auto own = certificate.subject_key_identifier();
  return own ? *own : key.public_key().key_identifier();
}

// Somebody will put the clock right, and then there is nothing wrong with what was asked for.
Result<void> check_clock(const Certificate& certificate, Time now) {
  if (now >= certificate.not_before() - kClockSlack) return {};
  return retry("the clock says " + to_iso8601(now) + ", and the CA certificate begins at " +
                   to_iso8601(certificate.not_before()) + ": nothing is issued before",
               "put the clock of this machine right, then see `cmpost clock`");
}

}  // namespace

Result<Issuer> Issuer::create(Certificate certificate, const PrivateKey& key, Random& random,
                              const Clock& clock) {
  TRY(check_issuer(certificate, key));
  ASSIGN_OR_RETURN(Signer signer, Signer::create(key));
  Bytes identifier = key_identifier_of(certificate, key);
  Extension extension = authority_key_identifier_extension(identifier);
  Issuer issuer;
  issuer.state_ = std::make_shared<const State>(State{std::move(certificate), std::move(signer),
                                                      std::move(extension), std::move(identifier),
                                                      random, clock});
  return issuer;
}

const Certificate& Issuer::certificate() const { return state_->certificate; }
const AlgorithmIdentifier& Issuer::signature_algorithm() const {
  return state_->signer.algorithm();
}

Time Issuer::latest_not_after() const { return state_->certificate.not_after(); }

Result<Bytes> Issuer::prepare(const CertificatePlan& plan) const {
  TRY(check_clock(state_->certificate, state_->clock.now()));
  // Nothing of this CA is older than the CA.
  TBSCertificate tbs{make_serial_number(state_->clock.now(), state_->random),
                     state_->certificate.subject(),
                     std::max(plan.notBefore, state_->certificate.not_before()),
                     plan.notAfter,
                     plan.subject,
                     plan.subjectPublicKeyInfo,
                     {}};
  tbs.extensions.reserve(plan.extensions.size() + 1);
  tbs.extensions = plan.extensions;
  tbs.extensions.push_back(state_->authorityKeyIdentifier);
  return encode_tbs(tbs, state_->signer.algorithm());
}

Result<Certificate> Issuer::sign(const ReviewedTbs& tbs) const {
  ASSIGN_OR_RETURN(const Bytes der, sign_tbs(tbs.der(), state_->signer));
  return Certificate::from_der(der);
}

Result<Certificate> Issuer::issue(const CertificatePlan& plan) const {
  ASSIGN_OR_RETURN(Bytes tbs, prepare(plan));
  ASSIGN_OR_RETURN(const auto reviewed, review_own(std::move(tbs)));
  return sign(reviewed);
}

Result<Bytes> Issuer::sign_crl(TBSCertList tbs) const {
  if (!state_->certificate.allows(KeyUsageBit::cRLSign)) {
    return hold(
        "the CA certificate of " + state_->certificate.subject().text() + " may not sign CRLs",
        "its keyUsage lacks cRLSign (RFC 5280 4.2.1.3)");
  }
  tbs.issuer = state_->certificate.subject();
  tbs.authorityKeyIdentifier = state_->keyIdentifier;
  return cmpost::sign_crl(tbs, state_->signer);
}

Result<Certificate> sign_own(const TBSCertificate& tbs, const Signer& signer) {
  ASSIGN_OR_RETURN(Bytes encoded, encode_tbs(tbs, signer.algorithm()));
  ASSIGN_OR_RETURN(const auto reviewed, review_own(std::move(encoded)));
  ASSIGN_OR_RETURN(const Bytes der, sign_tbs(reviewed.der(), signer));
  return Certificate::from_der(der);
}

Result<Certificate> make_root(const PrivateKey& key, const Name& subject, Time not_before,
                              Time not_after, Random& random) {
  if (subject.is_null_dn()) return hold("a CA needs a subject", "such as \"CN=Grid CA,O=Grid\"");
  ASSIGN_OR_RETURN(const Signer signer, Signer::create(key));
  const Bytes identifier = key.public_key().key_identifier();
  const TBSCertificate tbs{make_serial_number(not_before, random),
                           subject,
                           not_before,
                           not_after,
                           subject,
                           to_bytes(key.public_key().spki()),
                           {basic_constraints_extension(true, std::nullopt),
                            key_usage_extension({KeyUsageBit::digitalSignature,
                                                 KeyUsageBit::keyCertSign, KeyUsageBit::cRLSign}),
                            subject_key_identifier_extension(identifier)}};
  return sign_own(tbs, signer);
}

}  // namespace cmpost
