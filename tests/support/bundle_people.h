// A sender and a receiver of bundles.
#pragma once

#include <gmock/gmock.h>

#include "carrier/bundles/bundle_archive.h"
#include "carrier/bundles/bundle_copy.h"
#include "carrier/bundles/bundle_inbox.h"
#include "crypto/x509/certificate_builder.h"
#include "tests/support/fake_clock.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {

struct BundlePerson {
  PrivateKey key;
  Certificate certificate;

  BundleSigner signer() const { return {Signer::create(key).value(), {certificate}}; }
};

// Self-signed without `issuer`; `purpose`: an extendedKeyUsage.
inline BundlePerson make_bundle_person(const std::string& name, const std::string& algorithm,
                                       const BundlePerson* issuer = nullptr,
                                       const Oid* purpose = nullptr) {
  static std::uint8_t serial = 0;
  const auto key = PrivateKey::generate(algorithm).value();
  const auto subject = Name::from_text("CN=" + name).value();
  Extensions extensions = {subject_key_identifier_extension(key.public_key().key_identifier())};
  if (purpose != nullptr) {
    extensions.push_back(extended_key_usage_extension({*purpose}));
  } else if (issuer == nullptr) {
    extensions.push_back(basic_constraints_extension(true, {}));
  }
  const TBSCertificate tbs{Bytes{1, ++serial},
                           issuer == nullptr ? subject : issuer->certificate.subject(),
                           FakeClock().now() - std::chrono::hours(1),
                           FakeClock().now() + std::chrono::hours(24 * 30),
                           subject,
                           to_bytes(key.public_key().spki()),
                           extensions};
  const auto signer = Signer::create(issuer == nullptr ? key : issuer->key).value();
  return {key, Certificate::from_der(sign_certificate(tbs, signer).value()).value()};
}

}  // namespace cmpost
