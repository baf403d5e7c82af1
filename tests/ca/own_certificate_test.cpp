#include "ca/own_certificate.h"

#include "tests/support/fake_clock.h"
#include "tests/support/fake_random.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;

class OwnCertificates : public ::testing::Test {
 protected:
  OwnCertificates() {
    const auto key = PrivateKey::generate("ec:P-256").value();
    const auto root = make_root(key, Name::from_text("CN=CA").value(), clock_.now(),
                                clock_.now() + std::chrono::days(100), random_);
    issuer_.emplace(Issuer::create(root.value(), key, random_, clock_).value());
  }
  Result<Certificate> make(OwnUse use, const std::string& algorithm,
                           const std::string& address = {}) {
    OwnCertificate wanted{use,
                          Name::from_text("CN=own").value(),
                          clock_.now(),
                          clock_.now() + std::chrono::days(50),
                          {}};
    if (!address.empty()) wanted.address = GeneralName::from_text("email:" + address).value();
    return make_own_certificate(*issuer_, PrivateKey::generate(algorithm)->public_key(), wanted);
  }

  FakeClock clock_;
  FakeRandom random_;
  std::optional<Issuer> issuer_;
};

TEST_F(OwnCertificates, MayDoWhatTheyAreForAndNothingElse) {
  const auto cmp = make(OwnUse::protection, "ec:P-256");
  ASSERT_THAT(cmp, IsOk());
  EXPECT_TRUE(cmp->allows(KeyUsageBit::digitalSignature));
  EXPECT_FALSE(cmp->allows(KeyUsageBit::keyCertSign));
  EXPECT_TRUE(cmp->has_extended_key_usage(oid::id_kp_cmcCA));
  const auto kga = make(OwnUse::key_generation, "ed25519");
  ASSERT_THAT(kga, IsOk());
  EXPECT_TRUE(kga->has_extended_key_usage(oid::id_kp_cmKGA));
  EXPECT_FALSE(kga->has_extended_key_usage(oid::id_kp_cmcCA));
  const auto mail = make(OwnUse::mail, "rsa:2048", "pki@example.com");
  ASSERT_THAT(mail, IsOk());
  EXPECT_TRUE(mail->allows(KeyUsageBit::keyEncipherment));
  EXPECT_TRUE(mail->has_extended_key_usage(oid::id_kp_emailProtection));
}

TEST_F(OwnCertificates, OfProtocolKeysFollowTheKey) {
  for (const auto* kind : {"ec:P-256", "x25519", "x448"}) {
    const auto made = make(OwnUse::protocol, kind);
    ASSERT_THAT(made, IsOk()) << kind;
    EXPECT_TRUE(made->allows(KeyUsageBit::keyAgreement)) << kind;
    EXPECT_FALSE(made->allows(KeyUsageBit::digitalSignature)) << kind;
  }
  const auto rsa = make(OwnUse::protocol, "rsa:2048");
  ASSERT_THAT(rsa, IsOk());
  EXPECT_TRUE(rsa->allows(KeyUsageBit::keyEncipherment));
  EXPECT_FALSE(rsa->allows(KeyUsageBit::digitalSignature));
  EXPECT_THAT(make(OwnUse::protocol, "ed25519"), Fails(HasSubstr("neither agree nor decrypt")));
}

}  // namespace
}  // namespace cmpost
