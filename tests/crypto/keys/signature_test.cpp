#include "crypto/keys/signature.h"

#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <thread>

#include "tests/crypto/golden.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;

Bytes null_parameters() { return {der::kNull, 0}; }

AlgorithmIdentifier pss(const Oid& hash, const Oid& mask_hash, std::int64_t salt,
                        std::optional<std::int64_t> trailer = {}) {
  der::Writer w;
  w.constructed(der::kSequence, [&] {
    w.constructed(der::context_constructed(0), [&] {
      write(w, AlgorithmIdentifier{hash, null_parameters()});
    });
    w.constructed(der::context_constructed(1), [&] {
      w.constructed(der::kSequence, [&] {
        w.object_identifier(oid::id_mgf1);
        write(w, AlgorithmIdentifier{mask_hash, {}});
      });
    });
    w.constructed(der::context_constructed(2), [&] { w.integer(salt); });
    if (trailer) w.constructed(der::context_constructed(3), [&] { w.integer(*trailer); });
  });
  return {oid::id_RSASSA_PSS, std::move(w).take()};
}

struct Case {
  const char* key;
  AlgorithmIdentifier algorithm;
};

std::vector<Case> every_algorithm() {
  std::vector<Case> cases = {{"ed25519", {oid::id_Ed25519, {}}},
                             {"ed448", {oid::id_Ed448, {}}},
                             {"rsa2048", {oid::sha256WithRSAEncryption, {}}},
                             {"pss-key", pss(oid::id_sha256, oid::id_sha256, 32)}};
  for (const char* key : {"ec-p256", "ec-p384", "ec-p521", "ec-brainpool"}) {
    for (const auto* id :
         {&oid::ecdsa_with_SHA224, &oid::ecdsa_with_SHA256, &oid::ecdsa_with_SHA384,
          &oid::ecdsa_with_SHA512, &oid::id_ecdsa_with_shake128, &oid::id_ecdsa_with_shake256}) {
      cases.push_back({key, {*id, {}}});
    }
  }
  for (const auto* id : {&oid::sha224WithRSAEncryption, &oid::sha256WithRSAEncryption,
                         &oid::sha384WithRSAEncryption, &oid::sha512WithRSAEncryption}) {
    cases.push_back({"rsa2048", {*id, null_parameters()}});
  }
  for (const auto* hash : {&oid::id_sha224, &oid::id_sha256, &oid::id_sha384, &oid::id_sha512}) {
    cases.push_back({"rsa2048", pss(*hash, *hash, 20)});
    cases.push_back({"rsa2048", pss(*hash, *hash, 0, 1)});
  }
  return cases;
}

TEST(Signature, EveryAlgorithmSignsAndVerifies) {
  const Bytes data = to_bytes("PKIHeader and PKIBody");
  for (const auto& [name, algorithm] : every_algorithm()) {
    const auto key = golden_key(name);
    const auto signer = Signer::create(key, algorithm);
    ASSERT_THAT(signer, IsOk()) << name << " " << algorithm.algorithm.name();
    for (int round = 0; round < 2; ++round) {
      const auto signature = signer->sign(data);
      ASSERT_THAT(signature, IsOk());
      EXPECT_EQ(verify(key.public_key(), algorithm, data, *signature).value(), Verdict::good)
          << name << " " << algorithm.algorithm.name();
      EXPECT_EQ(verify(key.public_key(), algorithm, to_bytes("other"), *signature).value(),
                Verdict::bad);
    }
  }
}

TEST(Signature, NoFlippedOctetOfASignatureVerifies) {
  const Bytes data = to_bytes("data");
  for (const char* name : {"ec-p256", "ec-p521", "rsa2048", "pss-key", "ed25519", "ed448"}) {
    const auto key = golden_key(name);
    const auto signer = Signer::create(key).value();
    const auto signature = signer.sign(data).value();
    for (std::size_t i = 0; i < signature.size(); i += 3) {
      for (const int mask : {0x01, 0x80, 0xff}) {
        Bytes changed = signature;
        changed[i] = static_cast<std::uint8_t>(changed[i] ^ mask);
        EXPECT_EQ(verify(key.public_key(), signer.algorithm(), data, changed).value(), Verdict::bad)
            << name << " " << i;
      }
    }
  }
}

TEST(Signature, CutLongAndEmptySignaturesAreBad) {
  const Bytes data = to_bytes("data");
  for (const char* name : {"ec-p256", "rsa2048", "ed25519"}) {
    const auto key = golden_key(name);
    const auto signer = Signer::create(key).value();
    const auto signature = signer.sign(data).value();
    Bytes longer = signature;
    longer.push_back(0);
    const Bytes shorter(signature.begin(), signature.end() - 1);
    for (const Bytes& changed : {longer, shorter, Bytes(), Bytes(5000, 0x30)}) {
      EXPECT_EQ(verify(key.public_key(), signer.algorithm(), data, changed).value(), Verdict::bad);
    }
  }
}

TEST(Signature, EmptyDataIsSignedToo) {
  for (const char* name : {"ec-p256", "rsa2048", "ed25519"}) {
    const auto key = golden_key(name);
    const auto signer = Signer::create(key).value();
    const auto signature = signer.sign({});
    ASSERT_THAT(signature, IsOk());
    EXPECT_EQ(verify(key.public_key(), signer.algorithm(), {}, *signature).value(), Verdict::good);
  }
}

// Whether OpenSSL's own X509_verify takes a certificate that we take, and the other way round.
TEST(Signature, SelfSignedGoldenCertificatesVerifyAndMutantsDoNot) {
  for (const char* name :
       {"ec-p256", "ec-p384", "ec-p521", "ec-brainpool", "rsa2048", "ed25519", "ed448",
        "rsa-pss-sha256", "rsa-pss-sha384", "rsa-pss-sha512", "pss-key"}) {
    const auto certificate = golden_certificate(name);
    const auto key = certificate.public_key().value();
    const auto verdict =
        verify(key, certificate.signature_algorithm(), certificate.tbs(), certificate.signature());
    ASSERT_THAT(verdict, IsOk()) << name;
    EXPECT_EQ(*verdict, Verdict::good) << name;

    Bytes tbs = to_bytes(certificate.tbs());
    tbs[tbs.size() / 2] ^= 1;
    EXPECT_EQ(verify(key, certificate.signature_algorithm(), tbs, certificate.signature()).value(),
              Verdict::bad)
        << name;
  }
}

EVP_PKEY* openssl_key(const PublicKey& key) {
  const std::uint8_t* at = key.spki().data();
  return d2i_PUBKEY(nullptr, &at, static_cast<long>(key.spki().size()));
}

TEST(Signature, OpenSslVerifiesWhatWeSign) {
  const Bytes data = to_bytes("data");
  for (const char* name : {"ec-p256", "ec-p384", "ec-p521", "rsa2048", "ed25519", "ed448"}) {
    const auto signer = Signer::create(golden_key(name)).value();
    const auto digest = signature_scheme(signer.algorithm()).value().digest;
    const auto signature = signer.sign(data).value();
    const bool eddsa = std::string_view(name).starts_with("ed");
    const char* md = digest == Digest::sha256   ? "SHA256"
                     : digest == Digest::sha384 ? "SHA384"
                                                : "SHA512";
    EVP_PKEY* key = openssl_key(signer.public_key());
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    ASSERT_EQ(EVP_DigestVerifyInit_ex(context, nullptr, eddsa ? nullptr : md, nullptr, nullptr, key,
                                      nullptr),
              1);
    EXPECT_EQ(
        EVP_DigestVerify(context, signature.data(), signature.size(), data.data(), data.size()), 1)
        << name;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
  }
}

TEST(SignatureScheme, Sha1Md5AndDsaAreRefused) {
  EXPECT_THAT(signature_scheme({oid::sha1WithRSAEncryption, null_parameters()}),
              Fails(HasSubstr("SHA-1")));
  EXPECT_THAT(signature_scheme({oid::ecdsa_with_SHA1, {}}), Fails(HasSubstr("SHA-1")));
  EXPECT_THAT(signature_scheme({Oid("1.2.840.113549.1.1.4"), null_parameters()}),
              Fails(HasSubstr("unknown")));
  EXPECT_THAT(signature_scheme({Oid("2.16.840.1.101.3.4.3.2"), {}}), Fails(HasSubstr("unknown")));
  EXPECT_THAT(signature_scheme({oid::id_RSASSA_PSS_SHAKE128, {}}), Fails(HasSubstr("OpenSSL")));
}

TEST(SignatureScheme, ParametersOfPssAreStrict) {
  const auto& sha256 = oid::id_sha256;
  EXPECT_THAT(signature_scheme(pss(sha256, sha256, 32)), IsOk());
  EXPECT_THAT(signature_scheme(pss(sha256, sha256, 32, 1)), IsOk());
  EXPECT_THAT(signature_scheme(pss(sha256, sha256, 32, 2)), Fails(HasSubstr("trailerField")));
  EXPECT_THAT(signature_scheme(pss(sha256, oid::id_sha512, 32)), Fails(HasSubstr("MGF1")));
  EXPECT_THAT(signature_scheme(pss(sha256, oid::id_sha1, 32)), Fails(HasSubstr("MGF1")));
  EXPECT_THAT(signature_scheme(pss(oid::id_sha1, oid::id_sha1, 20)), Fails(HasSubstr("id-sha1")));
  EXPECT_THAT(signature_scheme(pss(sha256, sha256, -1)), Fails(HasSubstr("saltLength")));
  EXPECT_THAT(signature_scheme({oid::id_RSASSA_PSS, {}}), Fails(HasSubstr("missing")));
  EXPECT_THAT(signature_scheme({oid::id_RSASSA_PSS, Bytes{0x30, 0}}), Fails(HasSubstr("id-sha1")));
  EXPECT_THAT(signature_scheme({oid::id_RSASSA_PSS, null_parameters()}), Fails(HasSubstr("0x05")));
}

TEST(SignatureScheme, OthersHaveNoParameters) {
  EXPECT_THAT(signature_scheme({oid::ecdsa_with_SHA256, null_parameters()}),
              Fails(HasSubstr("malformed")));
  EXPECT_THAT(signature_scheme({oid::id_Ed25519, null_parameters()}),
              Fails(HasSubstr("malformed")));
  EXPECT_THAT(signature_scheme({oid::sha256WithRSAEncryption, Bytes{4, 0}}),
              Fails(HasSubstr("malformed")));
}

TEST(SignatureScheme, EdDsaNamesTheDigestOfItsCertHash) {
  EXPECT_EQ(signature_scheme({oid::id_Ed25519, {}}).value().digest, Digest::sha512);
  EXPECT_EQ(signature_scheme({oid::id_Ed448, {}}).value().digest, Digest::shake256);
}

TEST(Signature, AnAlgorithmThatDoesNotFitTheKeyIsAnError) {
  const AlgorithmIdentifier rsa{oid::sha256WithRSAEncryption, null_parameters()};
  const AlgorithmIdentifier ecdsa{oid::ecdsa_with_SHA256, {}};
  const AlgorithmIdentifier ed25519{oid::id_Ed25519, {}};
  const Bytes data = {1}, signature = {2};
  const auto key_of = [](const char* name) {
    return golden_certificate(name).public_key().value();
  };
  EXPECT_THAT(verify(key_of("ec-p256"), rsa, data, signature), Fails(HasSubstr("does not fit")));
  EXPECT_THAT(verify(key_of("rsa2048"), ecdsa, data, signature), Fails(HasSubstr("does not fit")));
  EXPECT_THAT(verify(key_of("ed448"), ed25519, data, signature), Fails(HasSubstr("does not fit")));
  EXPECT_THAT(verify(key_of("pss-key"), rsa, data, signature), Fails(HasSubstr("does not fit")));
  EXPECT_THAT(Signer::create(golden_key("ec-p256"), rsa), Fails(HasSubstr("does not fit")));
}

TEST(Signature, OneSignerAndOneKeyServeManyThreads) {
  const auto signer = Signer::create(golden_key("ec-p256")).value();
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&signer, i] {
      for (int round = 0; round < 50; ++round) {
        const Bytes data = {static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(round)};
        const auto signature = signer.sign(data).value();
        EXPECT_EQ(verify(signer.public_key(), signer.algorithm(), data, signature).value(),
                  Verdict::good);
        EXPECT_EQ(verify(signer.public_key(), signer.algorithm(), Bytes{9}, signature).value(),
                  Verdict::bad);
      }
    });
  }
}

// The OpenSSL objects of a key that is gone serve the next one.
TEST(Verify, AKeyThatTakesTheObjectsOfAnotherVerifiesForItself) {
  const Bytes data = to_bytes("what is signed");
  for (int i = 0; i < 4; ++i) {
    const auto mine = PrivateKey::generate("ec:P-256"), other = PrivateKey::generate("ec:P-256");
    const auto signer = Signer::create(*mine);
    const auto signature = signer->sign(data);
    ASSERT_THAT(signature, IsOk());
    {
      const auto wrong = PublicKey::from_spki(other->public_key().spki());
      EXPECT_EQ(verify(*wrong, signer->algorithm(), data, *signature).value(), Verdict::bad);
    }
    Bytes off_the_curve = to_bytes(mine->public_key().spki());
    off_the_curve.back() ^= 1;
    EXPECT_FALSE(PublicKey::from_spki(off_the_curve));
    const auto right = PublicKey::from_spki(mine->public_key().spki());
    EXPECT_EQ(verify(*right, signer->algorithm(), data, *signature).value(), Verdict::good);
  }
}

}  // namespace
}  // namespace cmpost
