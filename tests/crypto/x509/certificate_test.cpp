#include "crypto/x509/certificate.h"

#include <gmock/gmock.h>

#include "tests/crypto/golden.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;

TEST(Certificate, ReadsWhatOpenSslWrote) {
  const auto leaf = golden_certificate("leaf");
  EXPECT_EQ(leaf.version(), 3);
  EXPECT_EQ(leaf.subject().text(), "CN=leaf,O=Grid,C=DE");
  EXPECT_EQ(leaf.issuer().text(), "CN=intermediate,O=Grid,C=DE");
  EXPECT_EQ(leaf.signature_algorithm().algorithm, oid::ecdsa_with_SHA256);
  EXPECT_LT(leaf.not_before(), golden_time());
  EXPECT_GT(leaf.not_after(), golden_time());
  EXPECT_EQ(leaf.extensions().size(), 5U);
  EXPECT_EQ(leaf.fingerprint(), sha256(leaf.der()));
  EXPECT_FALSE(leaf.is_ca());
  EXPECT_FALSE(leaf.is_self_issued());
}

TEST(Certificate, AnswersQuestionsAboutExtensions) {
  const auto leaf = golden_certificate("leaf");
  const auto intermediate = golden_certificate("intermediate");
  EXPECT_TRUE(leaf.allows(KeyUsageBit::digitalSignature));
  EXPECT_FALSE(leaf.allows(KeyUsageBit::keyCertSign));
  EXPECT_TRUE(golden_certificate("ec-p256").allows(KeyUsageBit::keyCertSign));
  EXPECT_TRUE(leaf.has_extended_key_usage(oid::id_kp_cmcRA));
  EXPECT_FALSE(leaf.has_extended_key_usage(oid::id_kp_serverAuth));
  EXPECT_FALSE(intermediate.has_extended_key_usage(oid::id_kp_cmcRA));
  EXPECT_TRUE(intermediate.is_ca());
  EXPECT_EQ(leaf.authority_key_identifier(), intermediate.subject_key_identifier());
  EXPECT_EQ(intermediate.subject_key_identifier(),
            intermediate.public_key().value().key_identifier());
  EXPECT_TRUE(golden_certificate("root").is_self_issued());
}

TEST(Certificate, SerialLosesItsSignOctetInHex) {
  const auto leaf = golden_certificate("leaf");
  const auto serial = leaf.serial_number();
  EXPECT_EQ(leaf.serial_hex(), to_hex(serial[0] == 0 ? serial.subspan(1) : serial));
}

TEST(Certificate, PemRoundTripsAndSkipsOtherText) {
  const auto leaf = golden_certificate("leaf");
  const auto both = Certificate::from_pem("a line\n" + leaf.to_pem() + golden("leaf.key") + "\n" +
                                          golden("root.pem"));
  ASSERT_THAT(both, IsOk());
  ASSERT_EQ(both->size(), 2U);
  EXPECT_EQ(both->front(), leaf);
  EXPECT_EQ(both->back().subject(), golden_certificate("root").subject());
}

TEST(Certificate, PemWithoutACertificateSaysWhatWasFound) {
  EXPECT_THAT(Certificate::from_pem("hello"), Fails(HasSubstr("not PEM")));
  EXPECT_THAT(Certificate::from_pem(golden("leaf.key")), Fails(HasSubstr("PRIVATE KEY")));
  EXPECT_THAT(Certificate::from_pem("-----BEGIN CERTIFICATE-----\nAAAA\n"),
              Fails(HasSubstr("no END line")));
  EXPECT_THAT(Certificate::from_pem("-----BEGIN CERTIFICATE-----\n$$\n-----END CERTIFICATE-----\n"),
              Fails(HasSubstr("not base64")));
  EXPECT_THAT(
      Certificate::from_pem("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
      Fails(HasSubstr("at octet 0")));
}

TEST(Certificate, NothingMayStandBehindIt) {
  Bytes der = to_bytes(golden_certificate("leaf").der());
  der.push_back(0);
  EXPECT_THAT(Certificate::from_der(der), Fails(HasSubstr("behind the last element")));
}

TEST(Certificate, NoPrefixIsACertificate) {
  const auto leaf = golden_certificate("leaf");
  for (std::size_t size = 0; size < leaf.der().size(); ++size) {
    EXPECT_FALSE(Certificate::from_der(leaf.der().first(size))) << size;
  }
}

// The octets of `der` with the first occurrence of `from` replaced; the lengths must agree.
Bytes replaced(ByteView der, const Bytes& from, const Bytes& to) {
  Bytes changed = to_bytes(der);
  const auto at = std::search(changed.begin(), changed.end(), from.begin(), from.end());
  EXPECT_NE(at, changed.end());
  EXPECT_EQ(from.size(), to.size());
  std::copy(to.begin(), to.end(), at);
  return changed;
}

TEST(Certificate, TheTwoSignatureAlgorithmsMustAgree) {
  const auto leaf = golden_certificate("leaf");
  EXPECT_THAT(Certificate::from_der(
                  replaced(leaf.der(), hex("06082a8648ce3d040302"), hex("06082a8648ce3d040303"))),
              Fails(HasSubstr("signature algorithms differ")));
}

TEST(Certificate, AnUnknownVersionIsRefused) {
  const auto leaf = golden_certificate("leaf");
  EXPECT_THAT(Certificate::from_der(replaced(leaf.der(), hex("a003020102"), hex("a003020103"))),
              Fails(HasSubstr("unknown version")));
  EXPECT_THAT(Certificate::from_der(replaced(leaf.der(), hex("a003020102"), hex("a003020100"))),
              Fails(HasSubstr("not v3")));
}

TEST(Certificate, AMalformedKeyUsageAllowsNothing) {
  // keyUsage 03 02 07 80 with a stray padding bit.
  const auto changed = Certificate::from_der(
      replaced(golden_certificate("leaf").der(), hex("040403020780"), hex("040403020781")));
  ASSERT_THAT(changed, IsOk());
  EXPECT_FALSE(changed->allows(KeyUsageBit::digitalSignature));
}

TEST(Extensions, TheSameOneTwiceIsRefused) {
  const Extension extension{oid::id_ce_keyUsage, true, hex("03020780")};
  der::Writer writer;
  write(writer, Extensions{extension, extension});
  der::Reader reader(writer.bytes());
  const auto read = read_extensions(reader);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().what, HasSubstr("appears twice"));
}

TEST(Extensions, RoundTripWithTheirCriticality) {
  const Extensions extensions = {{oid::id_ce_keyUsage, true, hex("03020780")},
                                 {oid::id_ce_subjectKeyIdentifier, false, hex("040101")}};
  der::Writer writer;
  write(writer, extensions);
  der::Reader reader(writer.bytes());
  EXPECT_EQ(read_extensions(reader).value(), extensions);
}

TEST(Extensions, TooManyAreRefused) {
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    for (int i = 0; i < 200; ++i) {
      write(writer, Extension{Oid("1.2.3." + std::to_string(i)), false, {}});
    }
  });
  der::Reader reader(writer.bytes());
  EXPECT_FALSE(read_extensions(reader));
}

TEST(CertificationRequest, ReadsWhatOpenSslWrote) {
  const auto request = certification_request_from_pem_or_der(view_of(golden("request.pem")));
  ASSERT_THAT(request, IsOk());
  EXPECT_EQ(request->subject.text(), "CN=meter 7,O=Grid");
  EXPECT_EQ(request->extensions.size(), 2U);
  EXPECT_NE(find(request->extensions, oid::id_ce_subjectAltName), nullptr);
  EXPECT_EQ(PublicKey::from_spki(request->spki).value().type(), KeyType::ec_p256);
  const auto again = certification_request_from_pem_or_der(request->der);
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->info, request->info);
}

TEST(CertificationRequest, OtherInputIsRefused) {
  EXPECT_THAT(certification_request_from_pem_or_der(view_of(golden("leaf.pem"))),
              Fails(HasSubstr("found CERTIFICATE")));
  EXPECT_THAT(certification_request_from_pem_or_der(golden_certificate("leaf").der()),
              Fails(HasSubstr("certification request")));
  EXPECT_THAT(certification_request_from_pem_or_der({}), Fails(HasSubstr("neither DER nor PEM")));
}

}  // namespace
}  // namespace cmpost
