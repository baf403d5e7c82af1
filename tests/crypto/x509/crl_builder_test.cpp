#include <gmock/gmock.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "asn1/pem.h"
#include "crypto/x509/certificate_builder.h"
#include "tests/crypto/golden.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;

TBSCertList list() {
  return {Name::from_text("CN=ca").value(),
          *from_iso8601("2027-01-01T00:00:00Z"),
          *from_iso8601("2051-01-01T00:00:00Z"),
          {{hex("00ff"), *from_iso8601("2026-12-01T00:00:00Z"), CRLReason::keyCompromise,
            *from_iso8601("2026-11-01T00:00:00Z")},
           {hex("05"), *from_iso8601("2026-12-02T00:00:00Z"), CRLReason::unspecified, {}},
           {hex("06"), *from_iso8601("2026-12-03T00:00:00Z"), {}, {}}},
          300,
          hex("0a0b")};
}

X509_CRL* openssl_crl(const Bytes& der) {
  const std::uint8_t* at = der.data();
  return d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size()));
}

TEST(Crl, OpenSslVerifiesAndUnderstandsIt) {
  const auto key = golden_key("ec-p256");
  const auto der = sign_crl(list(), Signer::create(key).value()).value();
  X509_CRL* crl = openssl_crl(der);
  ASSERT_NE(crl, nullptr);
  const std::uint8_t* at = key.public_key().spki().data();
  EVP_PKEY* pkey = d2i_PUBKEY(nullptr, &at, static_cast<long>(key.public_key().spki().size()));
  EXPECT_EQ(X509_CRL_verify(crl, pkey), 1);
  ASN1_INTEGER* serial = ASN1_INTEGER_new();
  ASN1_INTEGER_set(serial, 255);
  X509_REVOKED* revoked = nullptr;
  ASSERT_EQ(X509_CRL_get0_by_serial(crl, &revoked, serial), 1);
  int critical = 0;
  auto* reason = static_cast<ASN1_ENUMERATED*>(
      X509_REVOKED_get_ext_d2i(revoked, NID_crl_reason, &critical, nullptr));
  EXPECT_EQ(ASN1_ENUMERATED_get(reason), 1);
  ASN1_ENUMERATED_free(reason);
  ASN1_INTEGER_set(serial, 5);
  ASSERT_EQ(X509_CRL_get0_by_serial(crl, &revoked, serial), 1);
  EXPECT_EQ(X509_REVOKED_get_ext_count(revoked), 0);
  ASN1_INTEGER_free(serial);
  EVP_PKEY_free(pkey);
  X509_CRL_free(crl);
}

TEST(Crl, WhatIsWrittenIsRead) {
  const auto signer = Signer::create(golden_key("rsa2048")).value();
  const auto crl = CertificateList::from_der(sign_crl(list(), signer).value());
  ASSERT_THAT(crl, IsOk());
  EXPECT_EQ(crl->issuer, list().issuer);
  EXPECT_EQ(crl->thisUpdate, list().thisUpdate);
  EXPECT_EQ(crl->nextUpdate, list().nextUpdate);
  EXPECT_EQ(crl->crlNumber, 300U);
  ASSERT_EQ(crl->revokedCertificates.size(), 3U);
  EXPECT_EQ(crl->revokedCertificates[0].userCertificate, hex("00ff"));
  EXPECT_EQ(crl->revokedCertificates[0].reason, CRLReason::keyCompromise);
  EXPECT_EQ(crl->revokedCertificates[0].invalidityDate,
            list().revokedCertificates[0].invalidityDate);
  EXPECT_EQ(crl->revokedCertificates[1].reason, std::nullopt);
  EXPECT_EQ(verify(signer.public_key(), crl->signatureAlgorithm, crl->tbs, crl->signature).value(),
            Verdict::good);
}

TEST(Crl, AnEmptyListIsLeftOut) {
  auto tbs = list();
  tbs.revokedCertificates.clear();
  const auto der = sign_crl(tbs, Signer::create(golden_key("ed25519")).value()).value();
  const auto crl = CertificateList::from_der(der);
  ASSERT_THAT(crl, IsOk());
  EXPECT_TRUE(crl->revokedCertificates.empty());
  X509_CRL* decoded = openssl_crl(der);
  EXPECT_NE(decoded, nullptr);
  X509_CRL_free(decoded);
}

TEST(Crl, ReadsWhatOpenSslWrote) {
  const auto pem = golden("crl.pem");
  const auto blocks = pem_blocks(pem).value();
  const auto crl = CertificateList::from_der(decode(blocks.at(0)).value());
  ASSERT_THAT(crl, IsOk());
  EXPECT_EQ(crl->crlNumber, 42U);
  ASSERT_EQ(crl->revokedCertificates.size(), 2U);
  EXPECT_EQ(crl->revokedCertificates[0].reason, CRLReason::keyCompromise);
  const auto root = golden_certificate("root");
  EXPECT_EQ(crl->issuer, root.subject());
  EXPECT_EQ(
      verify(root.public_key().value(), crl->signatureAlgorithm, crl->tbs, crl->signature).value(),
      Verdict::good);
}

TEST(Crl, NoFlippedOctetVerifiesOrCrashes) {
  const auto signer = Signer::create(golden_key("ec-p256")).value();
  const auto der = sign_crl(list(), signer).value();
  for (std::size_t i = 0; i < der.size(); ++i) {
    Bytes changed = der;
    changed[i] ^= 0x21;
    const auto crl = CertificateList::from_der(changed);
    if (!crl) continue;
    const auto verdict =
        verify(signer.public_key(), crl->signatureAlgorithm, crl->tbs, crl->signature);
    EXPECT_FALSE(verdict && *verdict == Verdict::good) << i;
  }
}

TEST(CrlReason, NamesAndNumbersAreThoseOfRfc5280) {
  EXPECT_EQ(to_string(CRLReason::cACompromise), "cACompromise");
  EXPECT_EQ(crl_reason("superseded"), CRLReason::superseded);
  EXPECT_EQ(crl_reason("nonsense"), std::nullopt);
  EXPECT_EQ(crl_reason(std::int64_t{6}), CRLReason::certificateHold);
  EXPECT_EQ(crl_reason(std::int64_t{7}), std::nullopt);
  EXPECT_EQ(crl_reason(std::int64_t{-1}), std::nullopt);
  EXPECT_EQ(crl_reason(std::int64_t{11}), std::nullopt);
}

}  // namespace
}  // namespace cmpost
