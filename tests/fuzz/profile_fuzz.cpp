// What profiles and the lint make of hostile requests and certificates.
#include "ca/lint/lint.h"
#include "ca/profile/profile.h"
#include "fuzz.h"

namespace {

using namespace cmpost;

// Every way in which a profile changes a subject and a subjectAltName.
const Profile& changing_profile() {
  static const Profile profile = [] {
    ProfileSettings settings;
    settings.name = "fuzz";
    for (const auto* curve : {"P-256", "P-384", "P-521"}) {
      settings.keys.push_back({KeyRule::Kind::ec, curve, 0, 0});
    }
    settings.keys.push_back({KeyRule::Kind::rsa, "", 2048, 16384});
    settings.subject.fields = {{"2.5.4.10", "O", {FieldRule::Kind::set, "Grid"}},
                               {"2.5.4.7", "L", {FieldRule::Kind::drop, ""}},
                               {"2.5.4.3", "CN", {FieldRule::Kind::derive, "{CN}-{key}"}}};
    settings.subject.other = FieldRule::Kind::drop;
    ExtensionRule names{.kind = ExtensionRule::Kind::derive, .der_hex = {}};
    names.names = {"DNS:{CN}.grid.example"};
    settings.extensions.fields = {{"2.5.29.17", "subjectAltName", names}};
    return Profile::create(settings).value();
  }();
  return profile;
}

void plan(const CertificationRequest& request) {
  const auto key = PublicKey::from_spki(request.spki);
  if (!key) return;
  const Time now = *from_iso8601("2026-06-01T12:00:00Z");
  const CertificateWish wish{request.subject, *key, request.extensions, {}, {}};
  (void)changing_profile().plan(wish, now, now + std::chrono::hours(24 * 1000));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static std::optional<Certificate> issuer;
  const ByteView input(data, size);
  if (const auto certificate = Certificate::from_der(input)) {
    issuer = *certificate;
    (void)words_for(lint_certificate(certificate->tbs(), *certificate), LintFinding::Level::error);
  }
  if (issuer) (void)lint_certificate(input, *issuer);
  if (const auto request = certification_request_from_pem_or_der(input)) plan(*request);
  return 0;
}
