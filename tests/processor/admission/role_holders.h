// Certificates for roles, and what only who has one gets.
#pragma once

#include "tests/processor/keys.h"

namespace cmpost {

inline void put(CaUnderTest& ca, const std::string& name,
                const std::vector<Certificate>& certificates) {
  std::string pem;
  for (const auto& one : certificates) pem += one.to_pem();
  must(write_file(ca.directory / name, view_of(pem), 0644, IfExists::replace));
}

// roles.ra is what `ra.pem` says; `certificates` replace it.
inline void name_ras(CaUnderTest& ca, const std::vector<Certificate>& certificates,
                     const std::string& more = "") {
  put(ca, "ra.pem", certificates);
  ca.configure(more);
}

inline Extension purposes(const std::vector<Oid>& all) { return extended_key_usage_extension(all); }

// Below `issuer`, with these extensions beside the key identifier.
inline Certificate certify(CaUnderTest& ca, const Certificate& issuer, const Credential& by,
                           const PublicKey& key, std::string_view subject,
                           const Extensions& extensions, bool with_key_identifier = true) {
  TBSCertificate tbs;
  tbs.serialNumber = ca.random.bytes(12);
  tbs.serialNumber[0] = 1;
  tbs.issuer = issuer.subject();
  tbs.subject = name(subject);
  tbs.notBefore = ca.clock.now() - std::chrono::hours(1);
  tbs.notAfter = ca.clock.now() + std::chrono::hours(24 * 365);
  tbs.subjectPublicKeyInfo = to_bytes(key.spki());
  tbs.extensions = extensions;
  if (with_key_identifier) {
    tbs.extensions.push_back(subject_key_identifier_extension(key.key_identifier()));
  }
  return must(Certificate::from_der(must(sign_certificate(tbs, by.signer))));
}

inline Credential below(CaUnderTest& ca, const OtherRoot& root, const Extensions& extensions,
                        std::string_view subject = "CN=RA") {
  Credential holder;
  holder.certificate =
      certify(ca, root.certificate, root.credential, holder.key.public_key(), subject, extensions);
  return holder;
}

// Not a CA, signed by itself.
inline Credential self_signed(CaUnderTest& ca, const Extensions& extensions = {},
                              bool with_key_identifier = true) {
  Credential holder;
  TBSCertificate tbs;
  tbs.serialNumber = {5};
  tbs.issuer = tbs.subject = name("CN=RA");
  tbs.notBefore = ca.clock.now() - std::chrono::hours(1);
  tbs.notAfter = ca.clock.now() + std::chrono::hours(24 * 365);
  tbs.subjectPublicKeyInfo = to_bytes(holder.key.public_key().spki());
  tbs.extensions = extensions;
  if (with_key_identifier) {
    tbs.extensions.push_back(
        subject_key_identifier_extension(holder.key.public_key().key_identifier()));
  }
  holder.certificate = must(Certificate::from_der(must(sign_certificate(tbs, holder.signer))));
  return holder;
}

// What only an RA gets: a certificate for somebody whose key it vouches for.
inline PKIBody vouched() {
  return ir(Credential(), "CN=anybody",
            {.edit_signed = [](CertReqMsg& message) { message.popo = RaVerified{}; }});
}

inline PKIMessage vouch(CaUnderTest& ca, const Credential& ra) {
  return ca.ask(signed_by(ca, ra, vouched()));
}

MATCHER(IsGranted, "is granted") {
  const auto status = status_in(arg);
  *result_listener << body_name(arg.body) << " " << ::testing::PrintToString(status.statusString);
  return body_name(arg.body) != "error" && status.status == PKIStatus::accepted;
}

// Without extraCerts, as OpenSSL's client sends what is signed with a self-signed certificate.
inline Bytes without_certificates(CaUnderTest& ca, const Credential& signer, const PKIBody& body,
                                  std::optional<Bytes> senderKID) {
  auto header = first_header(ca, signer.certificate->subject(), {}, {});
  header.senderKID = std::move(senderKID);
  return must(protect_with_signature(std::move(header), body, signer.signer, {}));
}

}  // namespace cmpost
