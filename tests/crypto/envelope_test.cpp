// What we encrypt and sign, opened by OpenSSL; what OpenSSL encrypts, opened by us.
#include "crypto/envelope.h"

#include <gmock/gmock.h>
#include <openssl/cms.h>
#include <openssl/pem.h>

#include <memory>

#include "crypto/key_package.h"
#include "golden.h"
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

TEST_P(EnvelopeFor, OfOpenSslIsOpenedByUs) {
  const TestBio in(BIO_new_mem_buf(kText.data(), static_cast<int>(kText.size())));
  const auto x509 = openssl_certificate(GetParam());
  STACK_OF(X509)* recipients = sk_X509_new_null();
  sk_X509_push(recipients, x509.get());
  const CmsPtr cms(CMS_encrypt(recipients, in.get(), EVP_aes_128_cbc(), CMS_BINARY));
  sk_X509_free(recipients);
  ASSERT_NE(cms, nullptr);
  std::uint8_t* der = nullptr;
  const int size = i2d_CMS_ContentInfo(cms.get(), &der);
  const Bytes whole(der, der + size);
  OPENSSL_free(der);
  der::Reader reader(whole);
  auto info = reader.enter(der::kSequence).value();
  ASSERT_TRUE(info.object_identifier().has_value());
  const auto enveloped = info.enter(der::context_constructed(0)).value().rest();
  const auto opened =
      open_envelope(enveloped, golden_key(GetParam()), golden_certificate(GetParam()));
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

}  // namespace
}  // namespace cmpost
