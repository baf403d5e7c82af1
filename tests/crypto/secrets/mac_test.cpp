#include <gmock/gmock.h>
#include <openssl/crmf.h>

#include "crypto/secrets/password_mac.h"
#include "tests/crypto/golden.h"
#include "tests/support/fake_random.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;

Bytes null() { return {der::kNull, 0}; }

PBMParameter parameter(const Oid& owf, const Oid& mac, std::int64_t iterations) {
  FakeRandom random;
  auto made = make_pbm_parameter(random, iterations);
  made.owf_algorithm = {owf, null()};
  made.mac_algorithm = {mac, null()};
  return made;
}

// As a peer would read it.
Result<PBMParameter> received(const PBMParameter& sent, MacLimits limits = {}) {
  return pbm_parameter(to_algorithm(sent), limits);
}

Bytes openssl_pbm(const PBMParameter& pbm, ByteView secret, ByteView data) {
  const auto algorithm = to_algorithm(pbm);
  const std::uint8_t* at = algorithm.parameters->data();
  OSSL_CRMF_PBMPARAMETER* decoded =
      d2i_OSSL_CRMF_PBMPARAMETER(nullptr, &at, static_cast<long>(algorithm.parameters->size()));
  EXPECT_NE(decoded, nullptr);
  unsigned char* mac = nullptr;
  std::size_t size = 0;
  EXPECT_EQ(OSSL_CRMF_pbm_new(nullptr, nullptr, decoded, data.data(), data.size(), secret.data(),
                              secret.size(), &mac, &size),
            1);
  const Bytes result(mac, mac + size);
  OPENSSL_free(mac);
  OSSL_CRMF_PBMPARAMETER_free(decoded);
  return result;
}

TEST(PasswordBasedMac, AgreesWithOpenSslForEveryPair) {
  const Bytes secret = to_bytes("a secret"), data = to_bytes("the protected part");
  MacLimits limits;
  limits.allow_sha1_owf = true;
  for (const auto* owf :
       {&oid::id_sha1, &oid::id_sha224, &oid::id_sha256, &oid::id_sha384, &oid::id_sha512}) {
    for (const auto* mac :
         {&oid::hMAC_SHA1, &oid::id_hmacWithSHA1, &oid::id_hmacWithSHA224, &oid::id_hmacWithSHA256,
          &oid::id_hmacWithSHA384, &oid::id_hmacWithSHA512}) {
      const auto pbm = received(parameter(*owf, *mac, 500), limits);
      ASSERT_THAT(pbm, IsOk()) << owf->name() << mac->name();
      EXPECT_EQ(password_based_mac(*pbm, secret, data).value(), openssl_pbm(*pbm, secret, data))
          << owf->name() << " " << mac->name();
    }
  }
}

TEST(PasswordBasedMac, AKeyLongerThanTheOwfIsTheWholeOutputOfTheOwf) {
  // HMAC-SHA512 with SHA-1 as owf: a block of 128 octets keyed with 20.
  MacLimits limits;
  limits.allow_sha1_owf = true;
  const auto pbm = received(parameter(oid::id_sha1, oid::id_hmacWithSHA512, 100), limits).value();
  const auto mac = password_based_mac(pbm, to_bytes("x"), to_bytes("y")).value();
  EXPECT_EQ(mac.size(), 64U);
  EXPECT_EQ(mac, openssl_pbm(pbm, to_bytes("x"), to_bytes("y")));
}

TEST(PasswordBasedMac, DependsOnEverythingThatGoesIn) {
  const auto pbm = parameter(oid::id_sha256, oid::id_hmacWithSHA256, 100);
  const auto mac = password_based_mac(pbm, to_bytes("x"), to_bytes("y")).value();
  auto other = pbm;
  other.salt[0] ^= 1;
  EXPECT_NE(password_based_mac(other, to_bytes("x"), to_bytes("y")).value(), mac);
  other = pbm;
  other.iterationCount = 101;
  EXPECT_NE(password_based_mac(other, to_bytes("x"), to_bytes("y")).value(), mac);
  EXPECT_NE(password_based_mac(pbm, to_bytes("z"), to_bytes("y")).value(), mac);
  EXPECT_NE(password_based_mac(pbm, to_bytes("x"), to_bytes("z")).value(), mac);
  EXPECT_THAT(password_based_mac(pbm, {}, {}), IsOk());
}

TEST(PasswordBasedMac, ShakeIsAnOwfToo) {
  const auto pbm = received(parameter(oid::id_shake256, oid::id_hmacWithSHA256, 100));
  ASSERT_THAT(pbm, IsOk());
  EXPECT_THAT(password_based_mac(*pbm, to_bytes("x"), to_bytes("y")), IsOk());
}

TEST(PbmParameter, LimitsAreKept) {
  const auto& sha256 = oid::id_sha256;
  const auto& hmac = oid::id_hmacWithSHA256;
  EXPECT_THAT(received(parameter(sha256, hmac, 99)), Fails(HasSubstr("iterationCount 99")));
  EXPECT_THAT(received(parameter(sha256, hmac, 100)), IsOk());
  EXPECT_THAT(received(parameter(sha256, hmac, 1'000'001)), Fails(HasSubstr("iterationCount")));
  EXPECT_THAT(received(parameter(sha256, hmac, 1'000'000'000)), Fails(HasSubstr("iterationCount")));
  EXPECT_THAT(received(parameter(sha256, hmac, -1)), Fails(HasSubstr("iterationCount")));
  auto pbm = parameter(sha256, hmac, 500);
  pbm.salt.resize(7);
  EXPECT_THAT(received(pbm), Fails(HasSubstr("salt length 7")));
  pbm.salt.resize(257);
  EXPECT_THAT(received(pbm), Fails(HasSubstr("salt length 257")));
}

TEST(PbmParameter, AMillionIterationsAreFine) {
  const auto sha256 = oid::id_sha256, hmac = oid::id_hmacWithSHA256;
  EXPECT_THAT(received(parameter(sha256, hmac, 1'000'000)), IsOk());
  FakeRandom random;
  for (const std::int64_t iterations : {262'144, 600'000, 1'000'000}) {
    EXPECT_THAT(pbmac1_parameter(to_algorithm(make_pbmac1_parameter(random, iterations)), {}),
                IsOk());
  }
  EXPECT_THAT(pbmac1_parameter(to_algorithm(make_pbmac1_parameter(random, 1'000'001)), {}),
              Fails(HasSubstr("iteration")));
}

TEST(PbmParameter, Sha1IsASwitch) {
  MacLimits strict;
  strict.allow_hmac_sha1 = false;
  EXPECT_THAT(received(parameter(oid::id_sha256, oid::hMAC_SHA1, 500)), IsOk());
  EXPECT_THAT(received(parameter(oid::id_sha256, oid::hMAC_SHA1, 500), strict),
              Fails(HasSubstr("HMAC-SHA1")));
  EXPECT_THAT(received(parameter(oid::id_sha1, oid::id_hmacWithSHA256, 500)),
              Fails(HasSubstr("SHA-1")));
}

TEST(PbmParameter, UnknownAndMalformedOnesAreRefused) {
  EXPECT_THAT(received(parameter(Oid("1.2.840.113549.2.5"), oid::hMAC_SHA1, 500)),
              Fails(HasSubstr("owf")));
  EXPECT_THAT(received(parameter(oid::id_sha256, Oid("1.2.3"), 500)),
              Fails(HasSubstr("mac 1.2.3")));
  EXPECT_THAT(pbm_parameter({oid::id_PasswordBasedMac, {}}, {}), Fails(HasSubstr("parameters")));
  EXPECT_THAT(pbm_parameter({oid::id_PBMAC1, null()}, {}), Fails(HasSubstr("PasswordBasedMac")));
  EXPECT_THAT(pbm_parameter({oid::id_PasswordBasedMac, null()}, {}), Fails(HasSubstr("tag")));
  auto odd = parameter(oid::id_sha256, oid::id_hmacWithSHA256, 500);
  odd.owf_algorithm.parameters = Bytes{4, 0};
  EXPECT_THAT(received(odd), Fails(HasSubstr("owf")));
}

TEST(PbmParameter, IsMirroredExactlyWithAFreshSalt) {
  FakeRandom random(7);
  auto sent = parameter(oid::id_sha512, oid::hMAC_SHA1, 700);
  sent.owf_algorithm.parameters.reset();
  const auto got = received(sent).value();
  EXPECT_EQ(to_algorithm(got), to_algorithm(sent));
  const auto answer = with_fresh_salt(got, random);
  EXPECT_NE(answer.salt, got.salt);
  EXPECT_EQ(answer.salt.size(), got.salt.size());
  EXPECT_EQ(answer.owf_algorithm, sent.owf_algorithm);
  EXPECT_EQ(answer.iterationCount, 700);
}

// RFC 4231 4.3 and 4.7 (a key that is longer than a block).
TEST(HmacSha256, AgreesWithTheStandard) {
  const auto jefe = hmac_sha256(to_bytes("Jefe"), to_bytes("what do ya want for nothing?"));
  EXPECT_EQ(to_hex(jefe.value()),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  const auto large = hmac_sha256(
      Bytes(131, 0xaa), to_bytes("Test Using Larger Than Block-Size Key - Hash Key First"));
  EXPECT_EQ(to_hex(large.value()),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(SameMac, ComparesLengthAndOctets) {
  EXPECT_TRUE(same_mac(hex("0102"), hex("0102")));
  EXPECT_FALSE(same_mac(hex("0102"), hex("0103")));
  EXPECT_FALSE(same_mac(hex("0102"), hex("01")));
  EXPECT_TRUE(same_mac({}, {}));
}

}  // namespace
}  // namespace cmpost
