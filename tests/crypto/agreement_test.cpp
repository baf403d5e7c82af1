#include <gmock/gmock.h>

#include "crypto/secrets/agreed_mac.h"
#include "crypto/secrets/kem.h"
#include "crypto/secrets/key_agreement.h"
#include "golden.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;

class AgreementOf : public ::testing::TestWithParam<const char*> {};

TEST_P(AgreementOf, GivesBothSidesTheSame) {
  const auto a = PrivateKey::generate(GetParam()).value();
  const auto b = PrivateKey::generate(GetParam()).value();
  EXPECT_TRUE(can_agree(a.public_key()));
  const auto agreed = agree(a, b.public_key());
  ASSERT_THAT(agreed, IsOk());
  EXPECT_EQ(*agreed, agree(b, a.public_key()).value());
  EXPECT_NE(*agreed, agree(a, a.public_key()).value());
}
INSTANTIATE_TEST_SUITE_P(KeyAgreement, AgreementOf,
                         ::testing::Values("ec:P-256", "ec:P-384", "ec:P-521", "x25519", "x448"));

// RFC 7748 6.1.
TEST(KeyAgreement, AgreesWithTheStandard) {
  const auto alice = PrivateKey::from_pem(
      "-----BEGIN PRIVATE KEY-----\n"
      "MC4CAQAwBQYDK2VuBCIEIHcHbQpzGKV9PBbBclGyZkXfTC+H68CZKrF3+6UduSwq\n"
      "-----END PRIVATE KEY-----\n");
  ASSERT_THAT(alice, IsOk());
  const auto bob = PublicKey::from_spki(hex(
      "302a300506032b656e032100de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"));
  ASSERT_THAT(bob, IsOk());
  EXPECT_EQ(to_hex(agree(*alice, *bob).value()),
            "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
}

TEST(KeyAgreement, KeysOfDifferentKindsDoNotAgree) {
  const auto p256 = PrivateKey::generate("ec:P-256").value();
  const auto p384 = PrivateKey::generate("ec:P-384").value();
  const auto signing = PrivateKey::generate("ed25519").value();
  EXPECT_THAT(agree(p256, p384.public_key()), Fails(HasSubstr("cannot agree")));
  EXPECT_THAT(agree(signing, signing.public_key()), Fails(HasSubstr("cannot agree")));
  EXPECT_FALSE(can_agree(signing.public_key()));
}

TEST(KeyAgreement, PointThatGivesTheResultAwayIsRefused) {
  const auto own = PrivateKey::generate("x25519").value();
  const auto zero =
      PublicKey::from_spki(hex("302a300506032b656e032100" + std::string(64, '0'))).value();
  EXPECT_FALSE(agree(own, zero).has_value());
}

TEST(Kem, RsaSecretComesBackOut) {
  const auto key = PrivateKey::generate("rsa:2048").value();
  const auto one = encapsulate(key.public_key()).value();
  EXPECT_EQ(one.kem.algorithm, oid::id_kem_rsa);
  EXPECT_EQ(decapsulate(key, one.kem, one.ciphertext).value(), one.shared_secret);
  EXPECT_EQ(one.shared_secret.size(), 32U);
  EXPECT_NE(encapsulate(key.public_key()).value().ciphertext, one.ciphertext);
}

TEST(Kem, SameSeedGivesTheSameAndAnotherSomethingElse) {
  const auto key = PrivateKey::generate("rsa:2048").value();
  const auto first = encapsulate(key.public_key(), sha256(view_of("seed"))).value(),
             again = encapsulate(key.public_key(), sha256(view_of("seed"))).value(),
             other = encapsulate(key.public_key(), sha256(view_of("another"))).value();
  EXPECT_EQ(first.ciphertext, again.ciphertext);
  EXPECT_NE(first.ciphertext, other.ciphertext);
  EXPECT_EQ(decapsulate(key, first.kem, first.ciphertext).value(), first.shared_secret);
  EXPECT_EQ(decapsulate(key, other.kem, other.ciphertext).value(), other.shared_secret);
}

TEST(Kem, WhatDoesNotBelongTogetherIsAnError) {
  const auto key = PrivateKey::generate("rsa:2048").value();
  const auto one = encapsulate(key.public_key()).value();
  EXPECT_FALSE(decapsulate(key, one.kem, ByteView(one.ciphertext).first(255)).has_value());
  EXPECT_THAT(decapsulate(key, {oid::id_alg_ml_kem_768, {}}, one.ciphertext),
              Fails(HasSubstr("does not fit")));
  const auto ec = PrivateKey::generate("ec:P-256").value();
  EXPECT_FALSE(can_encapsulate(ec.public_key()));
  EXPECT_THAT(encapsulate(ec.public_key()), Fails(HasSubstr("cannot encapsulate")));
}

// What the linked OpenSSL has decides; with 3.0 it is refused, and says so.
TEST(Kem, MlKemIsUsedWhereOpenSslHasIt) {
  const auto key = PrivateKey::generate("ml-kem-768");
  if (!key) {
    EXPECT_THAT(key, Fails(HasSubstr("generate")));
    return;
  }
  const auto one = encapsulate(key->public_key()).value();
  EXPECT_EQ(one.kem.algorithm, oid::id_alg_ml_kem_768);
  EXPECT_EQ(decapsulate(*key, one.kem, one.ciphertext).value(), one.shared_secret);
}

}  // namespace
}  // namespace cmpost
