#include "crypto/x509/certificate_cache.h"

#include <gmock/gmock.h>

#include "tests/crypto/golden.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

TEST(CertificateCache, TheSameOctetsAgainAreTheSameObject) {
  const CertificateCache cache;
  const Bytes der = to_bytes(golden_certificate("ec-p256").der());
  const auto first = cache.from_der(der), second = cache.from_der(der);
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(first->der().data(), second->der().data());
  EXPECT_TRUE(equal(first->der(), der));
}

TEST(CertificateCache, OtherOctetsAreAnotherObject) {
  const CertificateCache cache;
  const Bytes der = to_bytes(golden_certificate("ec-p256").der());
  Bytes forged = der;
  forged.back() ^= 1;
  const auto first = cache.from_der(der), second = cache.from_der(forged);
  ASSERT_THAT(second, IsOk());
  EXPECT_FALSE(*first == *second);
}

TEST(CertificateCache, WhatIsNoCertificateIsNotKept) {
  const CertificateCache cache;
  EXPECT_FALSE(cache.from_der(Bytes{0x30, 0x00}));
  EXPECT_FALSE(cache.from_der(Bytes{0x30, 0x00}));
}

}  // namespace
}  // namespace cmpost
