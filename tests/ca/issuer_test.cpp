#include "ca/issuer.h"

#include <gmock/gmock.h>

#include "ca/lint/extension_values.h"
#include "tests/ca/ca_fixture.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Issuer, MakesCertificatesThatOpensslVerifies) {
  for (const char* algorithm : {"ec:P-256", "ec:P-384", "rsa:2048", "ed25519"}) {
    TestCa ca(algorithm);
    const TemporaryDirectory directory;
    write_text(directory / "ca.pem", ca.root.to_pem());
    const Extension names =
        subject_alt_name_extension({GeneralName::from_text("DNS:dev1.example").value()}, false);
    write_text(directory / "ee.pem", ca.issue("CN=dev1,O=Grid", {names}).to_pem());
    EXPECT_THAT(run("openssl verify -x509_strict -check_ss_sig -CAfile " + (directory / "ca.pem") +
                    " -verify_hostname dev1.example " + (directory / "ee.pem")),
                StartsWith("0: "))
        << algorithm;
  }
}

TEST(Issuer, WritesWhatRfc5280AsksFor) {
  TestCa ca;
  const Certificate certificate = ca.issue("CN=dev1");
  EXPECT_EQ(certificate.version(), 3);
  EXPECT_EQ(certificate.issuer(), ca.root.subject());
  EXPECT_EQ(certificate.authority_key_identifier(), ca.root.subject_key_identifier());
  EXPECT_EQ(certificate.subject_key_identifier(), device_key().public_key().key_identifier());
  EXPECT_EQ(certificate.serial_number().size(), 16u);
  EXPECT_TRUE(issued_by(certificate, ca.root).value());
  EXPECT_FALSE(certificate.is_ca());
}

TEST(Issuer, IssuesNothingWhileTheClockIsBeforeItsBeginning) {
  TestCa ca;
  const auto profile = Profile::create(device_profile()).value();
  const CertificateWish wish{name("CN=dev1"), device_key().public_key(), {}, {}, {}};
  const auto issue = [&] {
    const auto plan = profile.plan(wish, ca.clock.now(), ca.issuer.latest_not_after());
    EXPECT_TRUE(plan) << plan.error().text;
    return ca.issuer.issue(*plan);
  };
  ca.clock.set(ca.root.not_before() - 6min);
  const auto refused = issue();
  ASSERT_THAT(refused, Fails(HasSubstr("the CA certificate begins at")));
  EXPECT_EQ(refused.error().recovery, Recovery::retry) << "it waits for the clock";
  ca.clock.advance(2min);
  const auto certificate = issue();
  ASSERT_THAT(certificate, IsOk());
  EXPECT_EQ(certificate->not_before(), ca.root.not_before()) << "as others have made the CA";
}

TEST(Issuer, VerifiesWithAnEmptySubject) {
  TestCa ca;
  const TemporaryDirectory directory;
  write_text(directory / "ca.pem", ca.root.to_pem());
  const auto profile = Profile::create(device_profile()).value();
  const CertificateWish wish{
      Name(),
      device_key().public_key(),
      {subject_alt_name_extension({GeneralName::from_text("IP:192.0.2.1").value()}, true)},
      {},
      {}};
  const auto plan = profile.plan(wish, ca.clock.now(), ca.issuer.latest_not_after());
  ASSERT_TRUE(plan) << plan.error().text;
  write_text(directory / "ee.pem", ca.issuer.issue(*plan)->to_pem());
  EXPECT_THAT(run("openssl verify -x509_strict -CAfile " + (directory / "ca.pem") +
                  " -verify_ip 192.0.2.1 " + (directory / "ee.pem")),
              StartsWith("0: "));
}

TEST(Issuer, TakesOnlyAKeyThatBelongsToItsCertificate) {
  TestCa ca;
  EXPECT_THAT(Issuer::create(ca.root, new_key(), ca.random, ca.clock),
              Fails(HasSubstr("does not belong")));
}

TEST(Issuer, TakesOnlyACaCertificate) {
  TestCa ca;
  const Certificate device = ca.issue("CN=dev1");
  EXPECT_THAT(Issuer::create(device, device_key(), ca.random, ca.clock),
              Fails(HasSubstr("no CA certificate")));
}

TEST(Issuer, MakesARootThatIsSelfSignedAndMaySignCertificatesAndCrls) {
  TestCa ca;
  EXPECT_TRUE(ca.root.is_ca());
  EXPECT_TRUE(ca.root.is_self_issued());
  EXPECT_TRUE(ca.root.allows(KeyUsageBit::keyCertSign));
  EXPECT_TRUE(ca.root.allows(KeyUsageBit::cRLSign));
  EXPECT_TRUE(issued_by(ca.root, ca.root).value());
  EXPECT_THAT(make_root(ca.key, Name(), ca.clock.now(), ca.clock.now() + 24h, ca.random),
              Fails(HasSubstr("needs a subject")));
}

TEST(Issuer, MakesACertificateForCmpProtection) {
  TestCa ca;
  const auto made = make_cmp_certificate(ca.issuer, device_key().public_key(), name("CN=Test CMP"),
                                         ca.clock.now(), ca.clock.now() + 24h * 100);
  ASSERT_THAT(made, IsOk());
  EXPECT_TRUE(made->has_extended_key_usage(oid::id_kp_cmcCA));
  EXPECT_TRUE(made->allows(KeyUsageBit::digitalSignature));
  EXPECT_FALSE(made->allows(KeyUsageBit::keyCertSign));
  EXPECT_TRUE(issued_by(*made, ca.root).value());
}

TEST(Issuer, WritesAllExtensionsOfAProfileAsOpensslReadsThem) {
  TestCa ca;
  ProfileSettings settings = device_profile();
  settings.extended_key_usage = {oid::id_kp_clientAuth.dotted()};
  settings.policies = {"1.2.3.4.5"};
  settings.crl_urls = {"http://a.example/x.crl", "http://b.example/x.crl"};
  settings.issuer_urls = {"http://a.example/ca.cer"};
  settings.ocsp_urls = {"http://a.example/ocsp"};
  const CertificateWish wish{name("CN=dev1"), device_key().public_key(), {}, {}, {}};
  const auto plan = Profile::create(settings)->plan(wish, ca.clock.now(), Time::max());
  ASSERT_TRUE(plan) << plan.error().text;
  const TemporaryDirectory directory;
  write_text(directory / "ee.pem", ca.issuer.issue(*plan)->to_pem());
  const std::string text = run("openssl x509 -noout -text -in " + (directory / "ee.pem"));
  for (const char* part :
       {"X509v3 Key Usage: critical", "Digital Signature", "TLS Web Client Authentication",
        "Policy: 1.2.3.4.5", "URI:http://a.example/x.crl", "URI:http://b.example/x.crl",
        "CA Issuers - URI:http://a.example/ca.cer", "OCSP - URI:http://a.example/ocsp"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

}  // namespace
}  // namespace cmpost
