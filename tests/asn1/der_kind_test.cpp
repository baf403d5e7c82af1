#include "asn1/der_kind.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/files.h"
#include "tests/crypto/golden.h"

namespace cmpost {
namespace {

// The octets of the first PEM block of a file that OpenSSL has made.
Bytes block_of(const std::string& name) {
  const auto pem = golden(name);
  const auto begin = pem.find("-----\n") + 6, end = pem.find("-----END");
  return from_base64(pem.substr(begin, end - begin)).value_or(Bytes());
}

TEST(DerKind, WhatOpenSslMakesIsKnown) {
  EXPECT_EQ(der_kind(block_of("request.pem")), DerKind::certification_request);
  EXPECT_EQ(der_kind(block_of("crl.pem")), DerKind::crl);
  for (const auto* name : {"ec-p256.pem", "ed448.pem", "rsa2048.pem", "rsa-pss-sha256.pem"}) {
    EXPECT_EQ(der_kind(block_of(name)), DerKind::certificate) << name;
  }
  for (const auto* name : {"ec-p256.key", "ed25519.key", "rsa2048.key", "encrypted-pkcs8.key"}) {
    EXPECT_EQ(der_kind(block_of(name)), DerKind::private_key) << name;
  }
}

TEST(DerKind, PiecesAreKnownByTheirShape) {
  // SEQUENCE { INTEGER 3, SEQUENCE { OID, [0] } }
  EXPECT_EQ(der_kind(hex("300a020103300506012aa000")), DerKind::pkcs12);
  EXPECT_EQ(der_kind(hex("300506012aa000")), DerKind::cms);
  EXPECT_EQ(der_kind(hex("3007020101040200ff")), DerKind::private_key) << "RFC 5915";
}

TEST(DerKind, AMessageIsOneWhateverItHolds) {
  std::size_t messages = 0;
  const std::filesystem::path recorded = std::string(CMPOST_TEST_DATA) + "/cmp/openssl-3.0.22";
  for (const auto& entry : std::filesystem::directory_iterator(recorded)) {
    if (entry.path().extension() != ".der") continue;
    const auto octets = read_file(entry.path().string(), 1 << 20);
    ASSERT_TRUE(octets);
    EXPECT_EQ(der_kind(*octets), DerKind::pki_message) << entry.path();
    ++messages;
  }
  EXPECT_GT(messages, 5U);
}

TEST(DerKind, WhatIsNoneIsUnknown) {
  for (const auto* digits : {"", "30", "3000", "3003020105", "3080", "04020000", "30023000"}) {
    EXPECT_EQ(der_kind(hex(digits)), DerKind::unknown) << digits;
  }
}

}  // namespace
}  // namespace cmpost
