// Every MAC against what other programs computed (tests/data/crypto/macs).
#include <gmock/gmock.h>

#include <sstream>

#include "crypto/secrets/mac_parameters.h"
#include "golden.h"
#include "tests/support/fake_random.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;

struct MacVector {
  std::string name;
  AlgorithmIdentifier algorithm;
  Bytes secret, data, mac;
};

std::vector<MacVector> mac_vectors() {
  std::vector<MacVector> vectors;
  std::istringstream file(golden("macs/vectors.txt"));
  std::string name, algorithm, secret, data, mac;
  while (file >> name >> algorithm >> secret >> data >> mac) {
    const auto der = hex(algorithm);
    der::Reader reader(der);
    vectors.push_back({name, read_algorithm(reader).value(), hex(secret), hex(data), hex(mac)});
  }
  return vectors;
}

MacVector vector_named(std::string_view name) {
  for (auto& one : mac_vectors()) {
    if (one.name == name) return one;
  }
  ADD_FAILURE() << name;
  return {};
}

TEST(MacVectors, EveryMacIsWhatOthersComputed) {
  std::size_t count = 0;
  for (const auto& [name, algorithm, secret, data, mac] : mac_vectors()) {
    SCOPED_TRACE(name);
    const auto parameters = mac_parameters(algorithm, {});
    ASSERT_THAT(parameters, IsOk());
    EXPECT_TRUE(is_mac(algorithm.algorithm));
    EXPECT_EQ(to_hex(compute_mac(*parameters, secret, {}, data).value()), to_hex(mac));
    EXPECT_EQ(to_algorithm(*parameters), algorithm);
    ++count;
  }
  EXPECT_EQ(count, 47U);
}

TEST(MacVectors, AnotherSecretGivesAnotherMac) {
  for (const auto& [name, algorithm, secret, data, mac] : mac_vectors()) {
    auto other = secret;
    other.back() ^= 1;
    const auto parameters = mac_parameters(algorithm, {}).value();
    EXPECT_NE(compute_mac(parameters, other, {}, data).value(), mac) << name;
  }
}

TEST(MacVectors, RenewedParametersDifferWhereTheyMust) {
  FakeRandom random(3);
  for (const auto* name : {"gmac-256-16", "gmac-128-12", "pbmac1-sha256-None", "pbm-expanded"}) {
    const auto vector = vector_named(name);
    const auto parameters = mac_parameters(vector.algorithm, {}).value();
    const auto fresh = renewed(parameters, random);
    EXPECT_NE(to_algorithm(fresh), vector.algorithm) << name;
    EXPECT_THAT(mac_parameters(to_algorithm(fresh), {}), IsOk()) << name;
  }
  const auto hmac = vector_named("hmac-sha256");
  EXPECT_EQ(to_algorithm(renewed(mac_parameters(hmac.algorithm, {}).value(), random)),
            hmac.algorithm);
}

TEST(BareMac, KeyOfAnotherLengthIsAnError) {
  const auto vector = vector_named("gmac-128-12");
  const auto parameters = mac_parameters(vector.algorithm, {}).value();
  EXPECT_THAT(compute_mac(parameters, Bytes(17), {}, {}), Fails(HasSubstr("17 octets")));
  const auto kmac = mac_parameters(vector_named("KMAC-128").algorithm, {}).value();
  EXPECT_THAT(compute_mac(kmac, Bytes(3), {}, {}), Fails(HasSubstr("3 octets")));
}

TEST(BareMac, WhichSecretsItTakesCanBeAskedBefore) {
  const auto of = [](std::string_view name) {
    return mac_parameters(vector_named(name).algorithm, {}).value();
  };
  EXPECT_TRUE(takes_secret_of(of("gmac-128-12"), 16));
  EXPECT_FALSE(takes_secret_of(of("gmac-128-12"), 17));
  EXPECT_TRUE(takes_secret_of(of("KMAC-128"), 512));
  EXPECT_FALSE(takes_secret_of(of("KMAC-128"), 3));
  EXPECT_FALSE(takes_secret_of(of("KMAC-128"), 513));
  EXPECT_TRUE(takes_secret_of(of("hmac-sha256"), 0));
  EXPECT_TRUE(takes_secret_of(of("pbm-expanded"), 3)) << "the key is made of it";
}

TEST(BareMac, HmacSha1IsASwitch) {
  MacLimits limits;
  limits.allow_hmac_sha1 = false;
  EXPECT_THAT(mac_parameters(vector_named("hmac-sha1").algorithm, limits),
              Fails(HasSubstr("SHA1")));
  EXPECT_THAT(mac_parameters(vector_named("pbmac1-sha1-20").algorithm, limits),
              Fails(HasSubstr("SHA1")));
  EXPECT_THAT(mac_parameters(vector_named("hmac-sha256").algorithm, limits), IsOk());
}

TEST(BareMac, MalformedParametersAreNamed) {
  const auto fails = [](const Oid& oid, std::string_view parameters) {
    return mac_parameters({oid, hex(parameters)}, {});
  };
  EXPECT_THAT(fails(oid::id_hmacWithSHA256, "0400"), Fails(HasSubstr("parameters")));
  EXPECT_THAT(mac_parameters({oid::id_aes128_GMAC, {}}, {}), Fails(HasSubstr("parameters")));
  EXPECT_THAT(fails(oid::id_aes128_GMAC, "30020400"), Fails(HasSubstr("nonce")));
  EXPECT_THAT(fails(oid::id_aes128_GMAC, "3006040101020108"), Fails(HasSubstr("length")));
  EXPECT_THAT(fails(oid::id_KMACWithSHAKE128, "3003020108"), Fails(HasSubstr("kMACOutputLength")));
  EXPECT_THAT(fails(oid::id_data, "0500"), Fails(HasSubstr("not supported")));
}

TEST(Pbmac1, LimitsAreKeptBeforeAnythingIsComputed) {
  FakeRandom random;
  const auto with = [&](auto edit) {
    auto parameter = make_pbmac1_parameter(random, 1000);
    edit(parameter);
    return mac_parameters(to_algorithm(parameter), {});
  };
  EXPECT_THAT(with([](auto&) {}), IsOk());
  EXPECT_THAT(with([](auto& p) { p.kdf.iterationCount = 1'000'000'000; }),
              Fails(HasSubstr("iterationCount")));
  EXPECT_THAT(with([](auto& p) { p.kdf.iterationCount = 99; }), Fails(HasSubstr("iterationCount")));
  EXPECT_THAT(with([](auto& p) { p.kdf.salt.resize(7); }), Fails(HasSubstr("salt")));
  EXPECT_THAT(with([](auto& p) { p.kdf.keyLength = 1 << 30; }), Fails(HasSubstr("keyLength")));
  EXPECT_THAT(with([](auto& p) { p.kdf.keyLength = 0; }), Fails(HasSubstr("keyLength")));
  EXPECT_THAT(with([](auto& p) { p.kdf.prf_algorithm->algorithm = oid::id_aes128_GMAC; }),
              Fails(HasSubstr("GMAC")));
}

TEST(KemMac, ContextIsTheDerOfKemOtherInfo) {
  EXPECT_EQ(to_hex(encode_kem_other_info(hex("0102"), std::nullopt)),
            "300f30090c07434d502d4b454d04020102");
  EXPECT_EQ(to_hex(encode_kem_other_info(hex("0102"), hex("ff"))),
            "301430090c07434d502d4b454d04020102a0030401ff");
}

// RFC 5869 A.1 without salt is A.3.
TEST(KemMac, HkdfAgreesWithTheStandard) {
  EXPECT_EQ(to_hex(derive_key({oid::id_alg_hkdf_with_sha256, {}}, Bytes(22, 0x0b), {}, 42).value()),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(KemMac, TransactionAndContextGoIntoTheKey) {
  auto parameter = make_kem_parameter();
  const auto key = kem_mac_key(parameter, Bytes(32, 1), hex("aa")).value();
  EXPECT_EQ(key.size(), 32U);
  EXPECT_NE(kem_mac_key(parameter, Bytes(32, 1), hex("ab")).value(), key);
  parameter.kemContext = hex("00");
  EXPECT_NE(kem_mac_key(parameter, Bytes(32, 1), hex("aa")).value(), key);
  EXPECT_THAT(mac_parameters(to_algorithm(parameter), {}), IsOk());
  parameter.len = 1 << 20;
  EXPECT_THAT(mac_parameters(to_algorithm(parameter), {}), Fails(HasSubstr("len")));
}

}  // namespace
}  // namespace cmpost
