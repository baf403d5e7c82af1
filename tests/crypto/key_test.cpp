#include <gmock/gmock.h>
#include <openssl/pem.h>

#include "crypto/keys/private_key.h"
#include "crypto/keys/public_key.h"
#include "golden.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

SubjectPublicKeyInfo parts_of(ByteView spki) {
  der::Reader reader(spki);
  return read_spki(reader).value();
}

Bytes encoded(const AlgorithmIdentifier& algorithm, ByteView key) {
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    write(writer, algorithm);
    writer.bit_string(key);
  });
  return std::move(writer).take();
}

// The golden key's SubjectPublicKeyInfo with another key inside.
Bytes with_key(const std::string& name, ByteView key) {
  return encoded(parts_of(golden_certificate(name).spki()).algorithm, key);
}

TEST(PublicKey, EveryKindIsRecognised) {
  const std::tuple<const char*, KeyType, const char*, unsigned> kKeys[] = {
      {"ec-p256", KeyType::ec_p256, "ec:P-256", 256},
      {"ec-p384", KeyType::ec_p384, "ec:P-384", 384},
      {"ec-p521", KeyType::ec_p521, "ec:P-521", 521},
      {"ec-brainpool", KeyType::other, "ec:brainpoolP256r1", 256},
      {"rsa2048", KeyType::rsa, "rsa:2048", 2048},
      {"pss-key", KeyType::rsa, "rsa:2048", 2048},
      {"ed25519", KeyType::ed25519, "ed25519", 255},
      {"ed448", KeyType::ed448, "ed448", 448}};
  for (const auto& [name, type, description, bits] : kKeys) {
    const auto certificate = golden_certificate(name);
    const auto key = certificate.public_key();
    ASSERT_THAT(key, IsOk()) << name;
    EXPECT_EQ(key->type(), type) << name;
    EXPECT_EQ(key->description(), description);
    EXPECT_EQ(key->bits(), bits) << name;
    EXPECT_TRUE(equal(key->spki(), certificate.spki()));
  }
}

TEST(PublicKey, PointsThatAreNotOnTheCurveAreRefused) {
  for (const char* name : {"ec-p256", "ec-p384", "ec-p521", "ec-brainpool"}) {
    auto point = parts_of(golden_certificate(name).spki()).key;
    point.back() ^= 1;
    EXPECT_THAT(PublicKey::from_spki(with_key(name, point)), Fails(HasSubstr("public key")));
  }
}

TEST(PublicKey, OtherFormsOfAPointAreRefused) {
  for (const char* name : {"ec-p256", "ec-brainpool"}) {
    const auto point = parts_of(golden_certificate(name).spki()).key;
    Bytes compressed(point.begin(), point.begin() + 33);
    compressed[0] = (point.back() & 1) != 0 ? 3 : 2;
    Bytes hybrid = point;
    hybrid[0] = (point.back() & 1) != 0 ? 7 : 6;
    Bytes longer = point;
    longer.push_back(0);
    const Bytes shorter(point.begin(), point.end() - 1);
    const Bytes infinity = {0};
    for (const Bytes& key : {compressed, hybrid, longer, shorter, infinity, Bytes()}) {
      EXPECT_FALSE(PublicKey::from_spki(with_key(name, key))) << name << " " << to_hex(key);
    }
  }
}

TEST(PublicKey, ExplicitCurveParametersAreRefused) {
  EXPECT_THAT(golden_certificate("explicit").public_key(), Fails(HasSubstr("not a named one")));
}

Bytes rsa_key(ByteView modulus, ByteView exponent) {
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    writer.unsigned_integer(modulus);
    writer.unsigned_integer(exponent);
  });
  return with_key("rsa2048", writer.bytes());
}

TEST(PublicKey, RsaNumbersAreChecked) {
  const Bytes usual = hex("010001");
  Bytes modulus(256, 0xff);
  EXPECT_THAT(PublicKey::from_spki(rsa_key(modulus, usual)), IsOk());
  EXPECT_THAT(PublicKey::from_spki(rsa_key(Bytes(63, 0xff), usual)), Fails(HasSubstr("504 bits")));
  EXPECT_THAT(PublicKey::from_spki(rsa_key(Bytes(2049, 0xff), usual)), Fails(HasSubstr("bits")));
  EXPECT_THAT(PublicKey::from_spki(rsa_key(modulus, hex("01"))), Fails(HasSubstr("exponent")));
  EXPECT_THAT(PublicKey::from_spki(rsa_key(modulus, hex("02"))), Fails(HasSubstr("exponent")));
  EXPECT_THAT(PublicKey::from_spki(rsa_key(Bytes(512, 0xff), Bytes(9, 0xff))),
              Fails(HasSubstr("exponent is too large")));
  modulus.back() = 0xfe;
  EXPECT_THAT(PublicKey::from_spki(rsa_key(modulus, usual)), Fails(HasSubstr("even")));
  EXPECT_FALSE(PublicKey::from_spki(with_key("rsa2048", hex("30060201ff020103"))));
  EXPECT_FALSE(PublicKey::from_spki(with_key("rsa2048", hex("3003020103"))));
}

TEST(PublicKey, ParametersMustBeThoseOfTheAlgorithm) {
  const auto ed = parts_of(golden_certificate("ed25519").spki());
  EXPECT_THAT(PublicKey::from_spki(encoded({oid::id_Ed25519, Bytes{5, 0}}, ed.key)),
              Fails(HasSubstr("no parameters")));
  const auto rsa = parts_of(golden_certificate("rsa2048").spki());
  EXPECT_THAT(PublicKey::from_spki(encoded({oid::rsaEncryption, {}}, rsa.key)), IsOk());
  EXPECT_FALSE(PublicKey::from_spki(encoded({oid::rsaEncryption, Bytes{4, 0}}, rsa.key)));
  EXPECT_FALSE(PublicKey::from_spki(encoded({oid::id_ecPublicKey, {}}, rsa.key)));
  EXPECT_FALSE(PublicKey::from_spki(encoded({Oid("1.2.3"), {}}, rsa.key)));
}

TEST(PublicKey, EdwardsKeysHaveTheirLength) {
  for (const char* name : {"ed25519", "ed448"}) {
    auto key = parts_of(golden_certificate(name).spki()).key;
    key.pop_back();
    EXPECT_FALSE(PublicKey::from_spki(with_key(name, key)));
  }
}

TEST(PrivateKey, EveryAlgorithmIsGeneratedAndSurvivesPem) {
  for (const char* algorithm :
       {"ec:P-256", "ec:P-384", "ec:P-521", "rsa:2048", "ed25519", "ed448"}) {
    const auto key = PrivateKey::generate(algorithm);
    ASSERT_THAT(key, IsOk()) << algorithm;
    EXPECT_EQ(key->public_key().description(), algorithm);
    const auto pem = key->to_pem();
    ASSERT_THAT(pem, IsOk());
    const auto again = PrivateKey::from_pem(*pem);
    ASSERT_THAT(again, IsOk()) << algorithm;
    EXPECT_TRUE(equal(again->public_key().spki(), key->public_key().spki()));
  }
  EXPECT_EQ(PrivateKey::generate("P-256").value().type(), KeyType::ec_p256);
}

TEST(PrivateKey, AnUnknownAlgorithmIsAnsweredWithTheKnownOnes) {
  for (const char* algorithm :
       {"", "dsa", "rsa:1024", "rsa:", "rsa:2048x", "rsa:99999", "ec:P-257"}) {
    const auto key = PrivateKey::generate(algorithm);
    ASSERT_FALSE(key) << algorithm;
    EXPECT_THAT(key.error().hint, HasSubstr("ec:P-256")) << algorithm;
  }
}

TEST(PrivateKey, APasswordIsNeededAndMustBeRight) {
  for (const char* name : {"encrypted-pkcs8.key", "encrypted-traditional.key"}) {
    EXPECT_THAT(PrivateKey::from_pem(golden(name), "letmein"), IsOk()) << name;
    EXPECT_THAT(PrivateKey::from_pem(golden(name)), Fails(HasSubstr("no password was given")));
    EXPECT_THAT(PrivateKey::from_pem(golden(name), "wrong"), Fails(HasSubstr("wrong password")));
    EXPECT_THAT(PrivateKey::from_pem(golden(name), ""), Fails(HasSubstr("wrong password")));
    EXPECT_THAT(PrivateKey::from_pem(golden(name), std::string(5000, 'x')),
                Fails(HasSubstr("wrong password")));
  }
}

TEST(PrivateKey, IsWrittenEncryptedForOpenSslToRead) {
  const auto key = golden_key("ec-p256");
  auto pem = key.to_pem("s3cret");
  ASSERT_THAT(pem, IsOk());
  EXPECT_THAT(*pem, HasSubstr("BEGIN ENCRYPTED PRIVATE KEY"));
  BIO* bio = BIO_new_mem_buf(pem->data(), static_cast<int>(pem->size()));
  std::string password = "s3cret";
  EVP_PKEY* read = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, password.data());
  EXPECT_NE(read, nullptr);
  EVP_PKEY_free(read);
  BIO_free(bio);
  EXPECT_THAT(PrivateKey::from_pem(*pem, "s3cret"), IsOk());
  EXPECT_THAT(PrivateKey::from_pem(*pem, "other"), Fails(HasSubstr("wrong password")));
}

TEST(PrivateKey, OtherFilesAreRecognised) {
  EXPECT_THAT(PrivateKey::from_pem(golden("leaf.pem")), Fails(HasSubstr("this is a certificate")));
  EXPECT_THAT(PrivateKey::from_pem("hello"), Fails(HasSubstr("not PEM")));
  EXPECT_THAT(PrivateKey::from_pem(""), Fails(HasSubstr("not PEM")));
  EXPECT_THAT(PrivateKey::from_pem(golden("request.pem")), Fails(HasSubstr("CERTIFICATE REQUEST")));
  EXPECT_THAT(PrivateKey::from_pem("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
              Fails(HasSubstr("public key")));
  EXPECT_THAT(PrivateKey::from_pem(
                  "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"),
              Fails(HasSubstr("OpenSSH")));
  EXPECT_THAT(
      PrivateKey::from_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
      Fails(AllOf(HasSubstr("private key"), ::testing::Not(HasSubstr("password")))));
}

TEST(PrivateKey, ACertificateOrParametersBeforeTheKeyAreSkipped) {
  EXPECT_THAT(PrivateKey::from_pem(golden("leaf.pem") + golden("leaf.key")), IsOk());
  EXPECT_THAT(PrivateKey::from_pem(golden("with-parameters.key")), IsOk());
}

TEST(PrivateKey, BelongsToItsCertificate) {
  for (const char* name : {"ec-p256", "rsa2048", "pss-key", "ed25519", "ed448", "ec-brainpool"}) {
    EXPECT_TRUE(equal(golden_key(name).public_key().spki(), golden_certificate(name).spki()))
        << name;
  }
}

}  // namespace
}  // namespace cmpost
