// The issuing key at work: turns plans into certificates and lists into CRLs.
#pragma once

#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "ca/lint/lint.h"
#include "ca/profile/profile.h"
#include "crypto/keys/private_key.h"
#include "crypto/keys/signature.h"
#include "crypto/x509/certificate.h"
#include "crypto/x509/certificate_builder.h"

namespace cmpost {

// A CA certificate may begin this much later than the clock says: others have made it.
constexpr auto kClockSlack = std::chrono::minutes(5);

// All members may be called from any thread at once.
class Issuer {
 public:
  // An Error when key and certificate do not belong together, or the certificate is no CA's.
  static Result<Issuer> create(Certificate certificate, const PrivateKey& key, Random& random,
                               const Clock& clock);

  const Certificate& certificate() const;
  const AlgorithmIdentifier& signature_algorithm() const;
  Time latest_not_after() const;  // of the CA certificate

  // The DER of the TBSCertificate that sign() turns into a certificate, with a serial number of its
  // own. The CA key has no part in it. retry where the clock is before the CA's notBefore.
  Result<Bytes> prepare(const CertificatePlan& plan) const;
  Result<Certificate> sign(const ReviewedTbs& tbs) const;
  // Both at once, by review_own(): a new certificate. Nothing is stored: the caller makes it
  // durable before it leaves the machine. The serial number has 20 octets: 0, time and 80 random
  // bits - see serial_number.h.
  Result<Certificate> issue(const CertificatePlan& plan) const;
  Result<Bytes> sign_crl(TBSCertList tbs) const;  // fills in issuer and authorityKeyIdentifier

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

// What the CA signs beside plans, after review_own().
Result<Certificate> sign_own(const TBSCertificate& tbs, const Signer& signer);

// A self-signed root for `init` and a certificate for CMP protection (cmcCA EKU, R-046).
Result<Certificate> make_root(const PrivateKey& key, const Name& subject, Time not_before,
                              Time not_after, Random& random);
Result<Certificate> make_cmp_certificate(const Issuer& issuer, const PublicKey& key,
                                         const Name& subject, Time not_before, Time not_after);

}  // namespace cmpost
