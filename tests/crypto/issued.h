// Certificates made in a test.
#pragma once

#include "crypto/x509/certificate_builder.h"
#include "golden.h"

namespace cmpost {

// A key and its certificate.
struct Issued {
  PrivateKey key;
  Certificate certificate;
};

struct Wishes {
  std::string subject = "CN=somebody";
  Extensions extensions;
  Time notBefore = golden_time() - std::chrono::hours(24);
  Time notAfter = golden_time() + std::chrono::hours(24 * 365);
};

inline Extensions ca_extensions() {
  return {basic_constraints_extension(true, {}),
          key_usage_extension({KeyUsageBit::keyCertSign, KeyUsageBit::cRLSign})};
}

// Signed by `issuer`, or by its own key without one.
inline Issued issue(const Wishes& wishes, const Issued* issuer = nullptr) {
  static std::uint8_t serial = 0;
  auto key = PrivateKey::generate("ec:P-256").value();
  const auto subject = Name::from_text(wishes.subject).value();
  const TBSCertificate tbs{Bytes{1, ++serial},
                           issuer != nullptr ? issuer->certificate.subject() : subject,
                           wishes.notBefore,
                           wishes.notAfter,
                           subject,
                           to_bytes(key.public_key().spki()),
                           wishes.extensions};
  const auto signer = Signer::create(issuer != nullptr ? issuer->key : key).value();
  const auto der = sign_certificate(tbs, signer).value();
  return {std::move(key), Certificate::from_der(der).value()};
}

}  // namespace cmpost
