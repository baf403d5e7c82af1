#include "cmp/protection.h"

#include <gmock/gmock.h>

#include "openssl_opinion.h"
#include "samples.h"
#include "tests/support/fake_random.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

const Bytes kSecret = to_bytes(std::string_view("insecure"));

MacLimits tolerant() {
  MacLimits limits;
  limits.allow_sha1_owf = true;
  return limits;
}

PKIMessage recorded(const std::string& file) { return decode(golden_file(file)).value(); }

template <typename T>
PKIFailureInfo refusal(const Outcome<T>& outcome) {
  EXPECT_FALSE(outcome.has_value());
  if (outcome.has_value() || !outcome.error().rejection()) return PKIFailureInfo::systemFailure;
  return outcome.error().rejection()->failInfo;
}

// "sig-p384-sha512.1-cr" was signed by p384, its answers by the server.
std::string signer_of(const GoldenMessage& golden) {
  const auto number = golden.name[golden.name.find('.') + 1];
  if ((number - '0') % 2 == 0) return "server";
  if (golden.name.starts_with("sig-") || golden.name.starts_with("kur-")) {
    const auto from = golden.name.find('-') + 1;
    const auto name = golden.name.substr(from, golden.name.find_first_of("-.", from) - from);
    return name == "sans" ? "p256" : name;
  }
  return golden.name.starts_with("http-sig") ? "rsa2048" : "p256";
}

TEST(Protection, EveryRecordedMacIsRight) {
  std::size_t count = 0;
  for (const auto& golden : golden_messages()) {
    const auto message = decode(golden.der).value();
    if (protection_kind(message) != ProtectionKind::password_based_mac) continue;
    if (golden.name.starts_with("wrong-secret")) continue;
    ++count;
    const auto verdict = verify_mac_protection(message, kSecret, tolerant());
    EXPECT_TRUE(verdict.has_value()) << golden.name;
    EXPECT_EQ(
        refusal(verify_mac_protection(message, to_bytes(std::string_view("insecurf")), tolerant())),
        PKIFailureInfo::badMessageCheck);
  }
  EXPECT_GE(count, 150U);
}

TEST(Protection, EveryRecordedSignatureIsRight) {
  std::size_t count = 0;
  for (const auto& golden : golden_messages()) {
    const auto message = decode(golden.der).value();
    if (protection_kind(message) != ProtectionKind::signature) continue;
    ++count;
    const auto key = golden_signer(signer_of(golden)).public_key().value();
    EXPECT_TRUE(verify_signature_protection(message, key).has_value()) << golden.name;
  }
  EXPECT_GE(count, 50U);
}

TEST(Protection, AChangedOctetIsNoticed) {
  auto message = recorded("sig-p256.1-ir.der");
  const auto key = golden_signer("p256").public_key().value();
  message.protected_part.back() ^= 1;
  EXPECT_EQ(refusal(verify_signature_protection(message, key)), PKIFailureInfo::badMessageCheck);
  auto mac = recorded("pbm-sha256-hmac-sha1.1-ir.der");
  mac.protection->bits[0] ^= 1;
  EXPECT_EQ(refusal(verify_mac_protection(mac, kSecret, {})), PKIFailureInfo::badMessageCheck);
}

TEST(Protection, AnAlgorithmThatDoesNotFitTheKeyIsBadAlg) {
  const auto message = recorded("sig-p256.1-ir.der");
  const auto rsa = golden_signer("rsa2048").public_key().value();
  EXPECT_EQ(refusal(verify_signature_protection(message, rsa)), PKIFailureInfo::badAlg);
  const auto other = golden_signer("server").public_key().value();  // the key of p256
  EXPECT_TRUE(verify_signature_protection(message, other).has_value());
}

TEST(Protection, ForbiddenAlgorithmsAreBadAlg) {
  auto message = recorded("sig-rsa2048.1-ir.der");
  message.header.protectionAlg->algorithm = oid::sha1WithRSAEncryption;
  EXPECT_EQ(protection_kind(message), ProtectionKind::signature);
  const auto key = golden_signer("rsa2048").public_key().value();
  EXPECT_EQ(refusal(verify_signature_protection(message, key)), PKIFailureInfo::badAlg);
  const auto weak = recorded("pbm-sha1-hmac-sha1.1-ir.der");
  EXPECT_EQ(refusal(verify_mac_protection(weak, kSecret, {})), PKIFailureInfo::badAlg);
  MacLimits many;
  many.min_iterations = 501;
  const auto few = recorded("pbm-sha256-hmac-sha1.1-ir.der");
  EXPECT_EQ(refusal(verify_mac_protection(few, kSecret, many)), PKIFailureInfo::badAlg);
}

TEST(Protection, OneFieldWithoutTheOtherIsBadMessageCheck) {
  auto message = recorded("sig-p256.1-ir.der");
  const auto key = golden_signer("p256").public_key().value();
  auto without_bits = message;
  without_bits.protection.reset();
  EXPECT_EQ(refusal(verify_signature_protection(without_bits, key)),
            PKIFailureInfo::badMessageCheck);
  auto without_algorithm = message;
  without_algorithm.header.protectionAlg.reset();
  EXPECT_EQ(protection_kind(without_algorithm), ProtectionKind::other);
  EXPECT_EQ(refusal(verify_signature_protection(without_algorithm, key)),
            PKIFailureInfo::badMessageCheck);
  message.protection->unused_bits = 3;
  EXPECT_EQ(refusal(verify_signature_protection(message, key)), PKIFailureInfo::badMessageCheck);
}

TEST(Protection, KindsAreToldByTheAlgorithm) {
  PKIMessage message;
  EXPECT_EQ(protection_kind(message), ProtectionKind::none);
  const auto kind_of = [&](const Oid& algorithm) {
    message.header.protectionAlg = AlgorithmIdentifier{algorithm, std::nullopt};
    return protection_kind(message);
  };
  EXPECT_EQ(kind_of(oid::id_PasswordBasedMac), ProtectionKind::password_based_mac);
  EXPECT_EQ(kind_of(oid::id_PBMAC1), ProtectionKind::pbmac1);
  EXPECT_EQ(kind_of(oid::id_DHBasedMac), ProtectionKind::dh_based_mac);
  EXPECT_EQ(kind_of(oid::id_KemBasedMac), ProtectionKind::kem_based_mac);
  EXPECT_EQ(kind_of(oid::id_aes256_GMAC), ProtectionKind::bare_mac);
  EXPECT_EQ(kind_of(oid::id_data), ProtectionKind::other);
  message.header.protectionAlg = AlgorithmIdentifier{oid::id_Ed448, std::nullopt};
  EXPECT_EQ(protection_kind(message), ProtectionKind::signature);
}

class SignatureBy : public ::testing::TestWithParam<const char*> {};

TEST_P(SignatureBy, IsVerifiedAfterTheJourney) {
  const auto key = PrivateKey::generate(GetParam()).value();
  const auto signer = Signer::create(key).value();
  const auto der =
      protect_with_signature(sample_header(), body::pkiconf{}, signer, {sample_certificate()});
  ASSERT_THAT(der, IsOk());
  EXPECT_TRUE(openssl_keeps(*der));
  const auto message = decode(*der).value();
  EXPECT_EQ(message.header.protectionAlg, signer.algorithm());
  EXPECT_EQ(message.extraCerts.size(), 1U);
  EXPECT_TRUE(verify_signature_protection(message, key.public_key()).has_value());
}
INSTANTIATE_TEST_SUITE_P(Protection, SignatureBy,
                         ::testing::Values("ec:P-256", "ec:P-384", "ec:P-521", "rsa:2048",
                                           "ed25519", "ed448"));

TEST(Protection, AMacIsVerifiedAfterTheJourney) {
  FakeRandom random;
  const auto parameter = make_pbm_parameter(random, 1000);
  const auto der = protect_with_mac(sample_header(), body::pkiconf{}, parameter, kSecret, {});
  ASSERT_THAT(der, IsOk());
  EXPECT_TRUE(openssl_keeps(*der));
  const auto message = decode(*der).value();
  EXPECT_TRUE(verify_mac_protection(message, kSecret, {}).has_value());
  EXPECT_TRUE(message.extraCerts.empty());
}

// Every ECDSA signature and every MAC must survive, the one in 256 that ends in a zero octet too.
TEST(Protection, MacsThatEndInAZeroOctetAreNotCutShort) {
  FakeRandom random;
  const auto parameter = make_pbm_parameter(random, 100);
  bool seen = false;
  for (int i = 0; i < 3000 && !seen; ++i) {
    auto header = sample_header();
    header.senderNonce = to_bytes(std::to_string(i));
    const auto der = protect_with_mac(header, body::pkiconf{}, parameter, kSecret, {});
    const auto message = decode(*der).value();
    ASSERT_TRUE(verify_mac_protection(message, kSecret, {}).has_value());
    seen = message.protection->bits.back() == 0;
  }
  EXPECT_TRUE(seen);
}

TEST(Protection, AnUnprotectedMessageHasNeitherField) {
  const auto message = decode(leave_unprotected(sample_header(), body::pkiconf{})).value();
  EXPECT_EQ(protection_kind(message), ProtectionKind::none);
  EXPECT_FALSE(message.header.protectionAlg);
}

// certHash.

TEST(CertHash, IsTheOneThatTheRecordedClientSent) {
  for (const auto* flow : {"sig-p256", "newkey-ed25519", "newkey-rsa2048"}) {
    const bool first = std::string_view(flow) == "sig-p256";
    const auto answer = recorded(std::string(flow) + (first ? ".2-ip.der" : ".2-cp.der"));
    const auto confirmation = recorded(std::string(flow) + ".3-certConf.der");
    const auto& pair = *cert_response(answer.body)->response.at(0).certifiedKeyPair;
    const auto& der = std::get<CMPCertificate>(pair.certOrEncCert.choice).der;
    const auto certificate = Certificate::from_der(der).value();
    const auto hash = cert_hash(certificate, std::nullopt);
    ASSERT_TRUE(hash.has_value());
    EXPECT_EQ(*hash, std::get<body::certConf>(confirmation.body).statuses.at(0).certHash) << flow;
  }
}

TEST(CertHash, FollowsHashAlgWhenGiven) {
  const auto certificate = golden_signer("ca");
  const AlgorithmIdentifier sha512{oid::id_sha512, std::nullopt};
  EXPECT_EQ(*cert_hash(certificate, sha512), hash(Digest::sha512, certificate.der()));
  const auto unknown = cert_hash(certificate, AlgorithmIdentifier{oid::id_data, std::nullopt});
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().failInfo, PKIFailureInfo::badAlg);
}

}  // namespace
}  // namespace cmpost
