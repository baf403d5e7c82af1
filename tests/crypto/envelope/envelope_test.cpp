// What we encrypt and sign, opened by OpenSSL; what OpenSSL encrypts, opened by us.
#include "crypto/envelope/envelope.h"

#include <gmock/gmock.h>
#include <openssl/cms.h>
#include <openssl/pem.h>

#include <algorithm>
#include <memory>

#include "crypto/envelope/key_package.h"
#include "tests/crypto/golden.h"
#include "tests/support/fake_random.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using CmsPtr = std::unique_ptr<CMS_ContentInfo, Freed<CMS_ContentInfo_free>>;
using TestBio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using TestKey = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using TestX509 = std::unique_ptr<X509, Freed<X509_free>>;

const Bytes kText = to_bytes(std::string_view("the certificate or the key"));

CmsPtr as_openssl_sees_it(const Oid& type, ByteView der) {
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    writer.object_identifier(type);
    writer.constructed(der::context_constructed(0), [&] { writer.raw(der); });
  });
  const std::uint8_t* at = writer.bytes().data();
  return CmsPtr(d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(writer.bytes().size())));
}

TestKey openssl_key(const std::string& name) {
  const auto pem = golden(name + ".key");
  const TestBio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return TestKey(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
}
TestX509 openssl_certificate(const std::string& name) {
  const auto pem = golden(name + ".pem");
  const TestBio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return TestX509(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

Bytes contents(BIO* bio) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio, &data);
  return to_bytes(std::string_view(data, static_cast<std::size_t>(size)));
}

Bytes decrypted_by_openssl(const CmsPtr& cms, const std::string& name) {
  const TestBio out(BIO_new(BIO_s_mem()));
  EXPECT_EQ(CMS_decrypt(cms.get(), openssl_key(name).get(), openssl_certificate(name).get(),
                        nullptr, out.get(), CMS_BINARY),
            1);
  return contents(out.get());
}

class EnvelopeFor : public ::testing::TestWithParam<const char*> {};

TEST_P(EnvelopeFor, IsOpenedByOpenSsl) {
  FakeRandom random;
  const auto certificate = golden_certificate(GetParam());
  const auto sealed =
      envelop(kText, oid::id_data, recipient_of(certificate).value(), random).value();
  const auto cms = as_openssl_sees_it(oid::id_envelopedData, sealed);
  ASSERT_NE(cms, nullptr);
  const TestBio out(BIO_new(BIO_s_mem()));
  EXPECT_EQ(CMS_decrypt(cms.get(), openssl_key(GetParam()).get(),
                        openssl_certificate(GetParam()).get(), nullptr, out.get(), 0),
            1);
  EXPECT_EQ(contents(out.get()), kText);
  const auto opened = open_envelope(sealed, golden_key(GetParam()), certificate);
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ(opened->content, kText);
}

// EnvelopedData, or AuthEnvelopedData for an authenticated cipher, without ContentInfo.
Bytes enveloped_by_openssl(const std::string& name, const EVP_CIPHER* cipher) {
  const TestBio in(BIO_new_mem_buf(kText.data(), static_cast<int>(kText.size())));
  const auto x509 = openssl_certificate(name);
  STACK_OF(X509)* recipients = sk_X509_new_null();
  sk_X509_push(recipients, x509.get());
  const CmsPtr cms(CMS_encrypt(recipients, in.get(), cipher, CMS_BINARY));
  sk_X509_free(recipients);
  std::uint8_t* der = nullptr;
  const int size = i2d_CMS_ContentInfo(cms.get(), &der);
  const Bytes whole(der, der + size);
  OPENSSL_free(der);
  der::Reader reader(whole);
  auto info = reader.enter(der::kSequence).value();
  EXPECT_TRUE(info.object_identifier().has_value());
  return to_bytes(info.enter(der::context_constructed(0)).value().rest());
}

TEST_P(EnvelopeFor, OfOpenSslIsOpenedByUs) {
  const auto opened = open_envelope(enveloped_by_openssl(GetParam(), EVP_aes_128_cbc()),
                                    golden_key(GetParam()), golden_certificate(GetParam()));
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ(opened->content, kText);
}
INSTANTIATE_TEST_SUITE_P(Envelope, EnvelopeFor,
                         ::testing::Values("rsa2048", "ec-p256", "ec-p384", "ec-p521"));

class EnvelopeByKey : public ::testing::TestWithParam<const char*> {};

TEST_P(EnvelopeByKey, IsOpenedWithTheKeyAlone) {
  FakeRandom random;
  const auto key = PrivateKey::generate(GetParam()).value();
  const IssuerAndSerialNumber rid{Name(), hex("00")};
  const auto sealed =
      envelop(kText, oid::id_data, KeyRecipient{key.public_key(), rid}, random).value();
  EXPECT_EQ(open_envelope(sealed, key).value().content, kText);
  const auto other = PrivateKey::generate(GetParam()).value();
  EXPECT_THAT(open_envelope(sealed, other), Fails(HasSubstr("cannot be decrypted")));
}
INSTANTIATE_TEST_SUITE_P(Envelope, EnvelopeByKey,
                         ::testing::Values("rsa:2048", "ec:P-256", "x25519", "x448"));

TEST(Envelope, PasswordOpensWhatItSealed) {
  FakeRandom random;
  const auto password = to_bytes(std::string_view("a shared secret"));
  const auto sealed =
      envelop(kText, oid::id_signedData, PasswordRecipient{password, 1000}, random).value();
  const auto opened = open_envelope(sealed, ByteView(password));
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ(opened->content, kText);
  EXPECT_EQ(opened->content_type, oid::id_signedData);
  EXPECT_FALSE(open_envelope(sealed, view_of("another")).has_value());
}

TEST(Envelope, NothingIsEncryptedToAKeyThatOnlySigns) {
  FakeRandom random;
  const auto key = PrivateKey::generate("ed25519").value();
  EXPECT_FALSE(can_receive(key.public_key()));
  EXPECT_THAT(envelop(kText, oid::id_data,
                      KeyRecipient{key.public_key(), SubjectKeyIdentifier(Bytes(20))}, random),
              Fails(HasSubstr("nothing can be encrypted")));
}

TEST(Envelope, AnotherRecipientsEnvelopeIsNotOurs) {
  FakeRandom random;
  const auto sealed =
      envelop(kText, oid::id_data, recipient_of(golden_certificate("rsa2048")).value(), random)
          .value();
  EXPECT_THAT(open_envelope(sealed, golden_key("ec-p256"), golden_certificate("ec-p256")),
              Fails(HasSubstr("somebody else")));
}

TEST(Envelope, EveryCutAndFlipIsNoticedOrHarmless) {
  FakeRandom random;
  const auto key = golden_key("ec-p256");
  const auto certificate = golden_certificate("ec-p256");
  const auto sealed =
      envelop(kText, oid::id_data, recipient_of(certificate).value(), random).value();
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    EXPECT_FALSE(open_envelope(ByteView(sealed).first(i), key, certificate).has_value());
    auto flipped = sealed;
    flipped[i] ^= 0x55;
    (void)open_envelope(flipped, key, certificate);
  }
}

TEST_P(EnvelopeFor, AuthEnvelopedDataIsOpenedByOpenSsl) {
  FakeRandom random;
  const auto certificate = golden_certificate(GetParam());
  const auto sealed = envelop(kText, oid::id_data, recipient_of(certificate).value(), random,
                              Envelopment::authenticated)
                          .value();
  EXPECT_TRUE(is_authenticated_envelope(sealed));
  const auto cms = as_openssl_sees_it(oid::id_authEnvelopedData, sealed);
  ASSERT_NE(cms, nullptr);
  EXPECT_EQ(decrypted_by_openssl(cms, GetParam()), kText);
  const auto opened = open_envelope(sealed, golden_key(GetParam()), certificate);
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ(opened->content, kText);
}

TEST_P(EnvelopeFor, AuthEnvelopedDataOfOpenSslIsOpenedByUs) {
  for (const auto* cipher : {EVP_aes_128_gcm(), EVP_aes_192_gcm(), EVP_aes_256_gcm()}) {
    const auto opened = open_envelope(enveloped_by_openssl(GetParam(), cipher),
                                      golden_key(GetParam()), golden_certificate(GetParam()));
    ASSERT_THAT(opened, IsOk());
    EXPECT_EQ(opened->content, kText);
  }
}

// RFC 5083, RFC 5084.
struct AuthEnvelope : ::testing::Test {
  Bytes sealed(const Oid& type) {
    return envelop(kText, type, recipient_of(certificate).value(), random,
                   Envelopment::authenticated)
        .value();
  }
  FakeRandom random;
  PrivateKey key = golden_key("ec-p256");
  Certificate certificate = golden_certificate("ec-p256");
};

TEST_F(AuthEnvelope, EveryChangeIsNoticed) {
  const auto whole = sealed(oid::id_ct_encKeyWithID);
  EXPECT_EQ(open_envelope(whole, key, certificate).value().content_type, oid::id_ct_encKeyWithID);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    auto flipped = whole;
    flipped[i] ^= 0x01;
    const auto opened = open_envelope(flipped, key, certificate);
    // Nobody protects what only leads to the key: version of RecipientInfo, the recipient's name.
    if (opened) {
      EXPECT_EQ(opened->content, kText) << i;
    }
  }
}

TEST_F(AuthEnvelope, ContentTypeIsAmongWhatIsAuthenticated) {
  const auto whole = sealed(oid::id_ct_encKeyWithID);
  Bytes other = whole;
  const auto type = oid::id_ct_encKeyWithID.content();
  const auto at = std::search(other.begin(), other.end(), type.begin(), type.end());
  ASSERT_NE(at, other.end());
  at[static_cast<std::ptrdiff_t>(type.size()) - 1] ^= 1;
  EXPECT_FALSE(open_envelope(other, key, certificate).has_value());
}

TEST_F(AuthEnvelope, AuthenticatedCipherIsNotForEnvelopedDataNorTheOtherWayRound) {
  const auto as_enveloped = [](ByteView whole) {
    der::Reader reader(whole);
    auto at = reader.enter(der::kSequence).value();
    der::Writer writer;
    writer.constructed(der::kSequence, [&] {
      for (int i = 0; i < 3; ++i) writer.raw(at.any().value().whole);
    });
    return std::move(writer).take();
  };
  EXPECT_THAT(open_envelope(as_enveloped(sealed(oid::id_data)), key, certificate),
              Fails(HasSubstr("not supported")));
  const auto cbc = envelop(kText, oid::id_data, recipient_of(certificate).value(), random).value();
  der::Reader reader(cbc);
  auto at = reader.enter(der::kSequence).value();
  ASSERT_TRUE(at.any().has_value());
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    writer.integer(0);
    writer.raw(at.rest());
    writer.octet_string(Bytes(16));
  });
  EXPECT_THAT(open_envelope(writer.bytes(), key, certificate), Fails(HasSubstr("not supported")));
}

// Wrong padding, and right padding that somebody has made, are both just octets.
TEST(DecryptedEnvelope, SaysRightOrNotAndNothingElse) {
  FakeRandom random;
  const auto key = golden_key("ec-p256");
  const auto certificate = golden_certificate("ec-p256");
  const auto sealed =
      envelop(Bytes(32, 'x'), oid::id_data, recipient_of(certificate).value(), random).value();
  int right = 0;
  for (int guess = 0; guess < 256; ++guess) {
    auto changed = sealed;
    changed[changed.size() - 17] ^= static_cast<std::uint8_t>(guess);
    const auto decrypted = decrypt_envelope(changed, key, certificate);
    ASSERT_THAT(decrypted, IsOk());
    EXPECT_FALSE(decrypted->authenticated);
    right += decrypted->right ? 1 : 0;
    EXPECT_EQ(decrypted->content_key, decrypt_envelope(sealed, key, certificate)->content_key);
  }
  EXPECT_EQ(right, 2) << "the padding that was, and one octet of 1";
}

// Bleichenbacher: RSA with PKCS#1 v1.5, as OpenSSL's `cms -encrypt` has it.
TEST(DecryptedEnvelope, WrongKeyTransportIsARandomKey) {
  const auto key = golden_key("rsa2048");
  const auto certificate = golden_certificate("rsa2048");
  auto sealed = enveloped_by_openssl("rsa2048", EVP_aes_128_cbc());
  const auto good = decrypt_envelope(sealed, key, certificate);
  ASSERT_THAT(good, IsOk());
  EXPECT_TRUE(good->right);
  EXPECT_EQ(good->content, kText);
  sealed[sealed.size() - 100] ^= 1;  // within encryptedKey
  const auto first = decrypt_envelope(sealed, key, certificate);
  const auto second = decrypt_envelope(sealed, key, certificate);
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(second, IsOk());
  EXPECT_FALSE(first->right);
  EXPECT_NE(first->content_key, second->content_key);
}

class SignedBy : public ::testing::TestWithParam<const char*> {};

TEST_P(SignedBy, IsVerifiedByOpenSsl) {
  const auto certificate = golden_certificate(GetParam());
  const auto sealed = sign_content(kText, oid::id_ct_KP_aKeyPackage,
                                   Signer::create(golden_key(GetParam())).value(), {certificate});
  ASSERT_THAT(sealed, IsOk());
  const auto cms = as_openssl_sees_it(oid::id_signedData, *sealed);
  ASSERT_NE(cms, nullptr);
  const TestBio out(BIO_new(BIO_s_mem()));
  EXPECT_EQ(CMS_verify(cms.get(), nullptr, nullptr, nullptr, out.get(),
                       CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY),
            1);
  EXPECT_EQ(contents(out.get()), kText);
}
INSTANTIATE_TEST_SUITE_P(Envelope, SignedBy, ::testing::Values("rsa2048", "ec-p256", "ec-p384"));

TEST(KeyPackage, KeepsTheKeyAndItsPublicHalf) {
  for (const auto* algorithm : {"ec:P-256", "rsa:2048", "ed25519", "x448"}) {
    const auto key = PrivateKey::generate(algorithm).value();
    const auto package = encode_key_package(key).value();
    const auto back = read_key_package(package);
    ASSERT_THAT(back, IsOk()) << algorithm;
    EXPECT_TRUE(equal(back->public_key().spki(), key.public_key().spki()));
  }
}

TEST(KeyPackage, PublicKeyOfAnotherIsAnError) {
  const auto a = encode_key_package(PrivateKey::generate("ed25519").value()).value();
  auto b = encode_key_package(PrivateKey::generate("ed25519").value()).value();
  std::copy(a.end() - 32, a.end(), b.end() - 32);  // the public key comes last
  EXPECT_THAT(read_key_package(b), Fails(HasSubstr("another's")));
}

TEST(KeyPackage, EncKeyWithIdIsReadBack) {
  const auto key = PrivateKey::generate("ec:P-256").value();
  const auto der = encode(EncKeyWithID{key, GeneralName::of(Name::from_text("CN=x").value())});
  const auto back = read_enc_key_with_id(der.value());
  ASSERT_THAT(back, IsOk());
  EXPECT_TRUE(equal(back->key.public_key().spki(), key.public_key().spki()));
  EXPECT_TRUE(back->identifier.has_value());
  EXPECT_FALSE(read_enc_key_with_id(hex("3000")).has_value());
}

// Who knows a public key alone has not got the private one, whatever stands beside it.
Bytes with_id_of(const PrivateKey& key) {
  return encode(EncKeyWithID{key, GeneralName::of(Name::from_text("CN=x").value())}).value();
}

TEST(KeyPackage, HalvesOfAPairThatDoNotBelongTogetherAreNone) {
  for (const auto* algorithm : {"ec:P-256", "ec:P-384", "rsa:2048"}) {
    const auto key = PrivateKey::generate(algorithm).value();
    const auto whole = with_id_of(key);
    ASSERT_THAT(read_enc_key_with_id(whole), IsOk());
    // Every number in it but version, modulus and public exponent is private.
    int believed = 0;
    for (std::size_t i = 0; i < whole.size(); ++i) {
      auto changed = whole;
      changed[i] ^= 0x10;
      const auto back = read_enc_key_with_id(changed);
      if (!back || !equal(back->key.public_key().spki(), key.public_key().spki())) continue;
      ++believed;
      EXPECT_EQ(back->key.to_pkcs8().value(), read_enc_key_with_id(whole)->key.to_pkcs8().value())
          << algorithm << " octet " << i;
    }
    EXPECT_LT(believed, 40) << "the identifier and version numbers";
  }
}

TEST(KeyPackage, JudgementHasAStandInForEverything) {
  const auto name = GeneralName::of(Name::from_text("CN=y").value());
  for (const auto* algorithm :
       {"ec:P-256", "ec:P-384", "ec:P-521", "rsa:2048", "rsa:3072", "ed25519", "x25519", "x448"}) {
    const auto key = PrivateKey::generate(algorithm).value();
    const auto good = judge_enc_key_with_id(with_id_of(key), key.public_key(), name);
    ASSERT_TRUE(good.has_value()) << algorithm;
    EXPECT_TRUE(good->right) << algorithm;
    for (const auto& content : {Bytes(), Bytes(100, 7), hex("3000"),
                                with_id_of(PrivateKey::generate("ec:P-256").value())}) {
      const auto bad = judge_enc_key_with_id(content, key.public_key(), name);
      ASSERT_TRUE(bad.has_value()) << algorithm;
      EXPECT_FALSE(bad->right) << algorithm;
    }
  }
}

}  // namespace
}  // namespace cmpost
