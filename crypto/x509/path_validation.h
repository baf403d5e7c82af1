// One path validation by OpenSSL; for trust.cpp only.
#pragma once

#include <vector>

#include "crypto/keys/generation_map.h"
#include "crypto/keys/openssl.h"
#include "crypto/x509/trust.h"

namespace cmpost {

// A Certificate and OpenSSL's own idea of it. Decoding is slow on OpenSSL 3.0, so those that come
// again and again are kept.
struct DecodedCertificate {
  Certificate certificate;
  std::shared_ptr<X509> x509;
};
// nullopt when OpenSSL cannot read it.
std::optional<DecodedCertificate> decode_certificate(const Certificate& certificate);

class PathValidator {
 public:
  explicit PathValidator(const std::vector<Certificate>& anchors);

  // RFC 5280 6.1 for any purpose, without revocation. Any thread.
  Result<PathCheck> validate(const DecodedCertificate& signer,
                             const std::vector<DecodedCertificate>& helpers, Time at) const;

 private:
  PathCheck trusted(const STACK_OF(X509) * chain,
                    const std::vector<DecodedCertificate>& candidates) const;
  X509StorePtr store_;
  std::vector<DecodedCertificate> anchors_;
};

}  // namespace cmpost
