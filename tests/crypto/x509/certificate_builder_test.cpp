#include "crypto/x509/certificate_builder.h"

#include <gmock/gmock.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "crypto/x509/trust.h"
#include "tests/crypto/issued.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;

X509* openssl_certificate(ByteView der) {
  const std::uint8_t* at = der.data();
  X509* x509 = d2i_X509(nullptr, &at, static_cast<long>(der.size()));
  EXPECT_EQ(at, der.data() + der.size());
  return x509;
}

TBSCertificate tbs_for(const PublicKey& key) {
  return {hex("ff01"),
          Name::from_text("CN=issuer,O=Grid").value(),
          *from_iso8601("2026-01-01T00:00:00Z"),
          *from_iso8601("2056-01-01T00:00:00Z"),
          Name::from_text("CN=subject,O=Grid").value(),
          to_bytes(key.spki()),
          {}};
}

TEST(SignCertificate, OpenSslVerifiesItForEveryKey) {
  for (const char* name :
       {"ec-p256", "ec-p384", "ec-p521", "rsa2048", "pss-key", "ed25519", "ed448"}) {
    const auto signer = Signer::create(golden_key(name)).value();
    const auto der = sign_certificate(tbs_for(signer.public_key()), signer);
    ASSERT_THAT(der, IsOk()) << name;
    X509* x509 = openssl_certificate(*der);
    ASSERT_NE(x509, nullptr) << name;
    EXPECT_EQ(X509_verify(x509, X509_get0_pubkey(x509)), 1) << name;
    X509_free(x509);
  }
}

TEST(SignCertificate, WhatIsWrittenIsRead) {
  const auto signer = Signer::create(golden_key("ec-p256")).value();
  auto tbs = tbs_for(golden_key("rsa2048").public_key());
  tbs.extensions = {
      key_usage_extension({KeyUsageBit::digitalSignature}),
      extended_key_usage_extension({oid::id_kp_clientAuth, oid::id_kp_cmcRA}),
      subject_key_identifier_extension(hex("0102")),
      authority_key_identifier_extension(hex("0304")),
      subject_alt_name_extension({GeneralName::from_text("DNS:a.example").value()}, false),
      basic_constraints_extension(false, 3),
      crl_distribution_point_extension("http://a.example/ca.crl")};
  const auto certificate = Certificate::from_der(sign_certificate(tbs, signer).value());
  ASSERT_THAT(certificate, IsOk());
  EXPECT_EQ(certificate->serial_hex(), "ff01");
  EXPECT_EQ(certificate->issuer(), tbs.issuer);
  EXPECT_EQ(certificate->subject(), tbs.subject);
  EXPECT_EQ(certificate->not_before(), tbs.notBefore);
  EXPECT_EQ(certificate->not_after(), tbs.notAfter);
  EXPECT_EQ(certificate->extensions(), tbs.extensions);
  EXPECT_TRUE(certificate->allows(KeyUsageBit::digitalSignature));
  EXPECT_FALSE(certificate->allows(KeyUsageBit::cRLSign));
  EXPECT_TRUE(certificate->has_extended_key_usage(oid::id_kp_cmcRA));
  EXPECT_EQ(certificate->subject_key_identifier(), hex("0102"));
  EXPECT_EQ(certificate->authority_key_identifier(), hex("0304"));
  EXPECT_FALSE(certificate->is_ca());
}

TEST(SignCertificate, OpenSslUnderstandsTheExtensions) {
  const auto root = issue({"CN=root", ca_extensions()});
  X509* x509 = openssl_certificate(root.certificate.der());
  ASSERT_NE(x509, nullptr);
  EXPECT_EQ(X509_check_ca(x509), 1);
  EXPECT_EQ(X509_get_key_usage(x509), static_cast<unsigned>(KU_KEY_CERT_SIGN | KU_CRL_SIGN));
  X509_free(x509);

  auto tbs = tbs_for(root.key.public_key());
  tbs.extensions = {subject_alt_name_extension({GeneralName::from_text("DNS:a.example").value(),
                                                GeneralName::from_text("IP:192.0.2.1").value()},
                                               true),
                    extended_key_usage_extension({oid::id_kp_clientAuth}),
                    crl_distribution_point_extension("http://a.example/ca.crl"),
                    authority_key_identifier_extension(hex("0304"))};
  x509 = openssl_certificate(sign_certificate(tbs, Signer::create(root.key).value()).value());
  ASSERT_NE(x509, nullptr);
  EXPECT_EQ(X509_check_host(x509, "a.example", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_ip_asc(x509, "192.0.2.1", 0), 1);
  EXPECT_EQ(X509_get_extended_key_usage(x509), static_cast<unsigned>(XKU_SSL_CLIENT));
  auto* points = static_cast<CRL_DIST_POINTS*>(
      X509_get_ext_d2i(x509, NID_crl_distribution_points, nullptr, nullptr));
  EXPECT_EQ(sk_DIST_POINT_num(points), 1);
  CRL_DIST_POINTS_free(points);
  EXPECT_EQ(ASN1_STRING_length(X509_get0_authority_key_id(x509)), 2);
  X509_free(x509);
}

TEST(SignCertificate, UnfitContentsAreRefused) {
  const auto signer = Signer::create(golden_key("ec-p256")).value();
  const auto good = tbs_for(signer.public_key());
  auto tbs = good;
  tbs.serialNumber = hex("0000");
  EXPECT_THAT(sign_certificate(tbs, signer), Fails(HasSubstr("zero")));
  tbs.serialNumber = Bytes(20, 0x80);
  EXPECT_THAT(sign_certificate(tbs, signer), Fails(HasSubstr("20 octets")));
  tbs.serialNumber = Bytes(20, 0x7f);
  EXPECT_THAT(sign_certificate(tbs, signer), IsOk());
  tbs = good;
  tbs.notAfter = tbs.notBefore - std::chrono::seconds(1);
  EXPECT_THAT(sign_certificate(tbs, signer), Fails(HasSubstr("notAfter")));
  tbs = good;
  tbs.issuer = Name();
  EXPECT_THAT(sign_certificate(tbs, signer), Fails(HasSubstr("issuer")));
  tbs = good;
  tbs.subjectPublicKeyInfo = hex("3000");
  EXPECT_THAT(sign_certificate(tbs, signer), Fails(HasSubstr("subjectPublicKeyInfo")));
}

TEST(SignCertificate, NoFlippedOctetVerifiesOrCrashes) {
  const auto root = issue({"CN=root", ca_extensions()});
  const auto der = root.certificate.der();
  for (std::size_t i = 0; i < der.size(); ++i) {
    Bytes changed = to_bytes(der);
    changed[i] ^= 0x55;
    const auto certificate = Certificate::from_der(changed);
    if (!certificate) continue;
    const auto issued = issued_by(*certificate, root.certificate);
    EXPECT_FALSE(issued.value_or(false)) << i;
    (void)certificate->public_key();
    (void)certificate->subject().text();
  }
}

}  // namespace
}  // namespace cmpost
