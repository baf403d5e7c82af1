#include "crypto/secrets/seal.h"

#include <gmock/gmock.h>

#include "tests/crypto/golden.h"
#include "tests/support/fake_random.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;

TEST(SealingKey, WhatIsSealedIsUnsealed) {
  FakeRandom random;
  const auto key = SealingKey::generate(random);
  for (const std::string secret : {"", "x", "a longer secret of a device, behind one block"}) {
    const auto sealed = key.seal(to_bytes(secret), "secret/dev1", random);
    ASSERT_THAT(sealed, IsOk());
    EXPECT_EQ(sealed->size(), secret.size() + 29);
    EXPECT_EQ(key.unseal(*sealed, "secret/dev1").value(), to_bytes(secret));
  }
}

TEST(SealingKey, EachSealingLooksDifferent) {
  FakeRandom random;
  const auto key = SealingKey::generate(random);
  EXPECT_NE(key.seal(to_bytes("a"), "c", random).value(),
            key.seal(to_bytes("a"), "c", random).value());
}

TEST(SealingKey, AnotherContextOrKeyFails) {
  FakeRandom random;
  const auto key = SealingKey::generate(random);
  const auto sealed = key.seal(to_bytes("secret"), "secret/dev1", random).value();
  EXPECT_THAT(key.unseal(sealed, "secret/dev2"), Fails(HasSubstr("cannot unseal")));
  EXPECT_THAT(SealingKey::generate(random).unseal(sealed, "secret/dev1"),
              Fails(HasSubstr("cannot unseal")));
}

TEST(SealingKey, NoFlippedOctetIsUnsealed) {
  FakeRandom random;
  const auto key = SealingKey::generate(random);
  const auto sealed = key.seal(to_bytes("secret"), "c", random).value();
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    Bytes changed = sealed;
    changed[i] ^= 1;
    EXPECT_FALSE(key.unseal(changed, "c")) << i;
    EXPECT_FALSE(key.unseal(ByteView(sealed).first(i), "c")) << i;
  }
}

TEST(SealingKey, IsReadFromHexadecimalDigits) {
  FakeRandom random;
  const auto key = SealingKey::generate(random);
  const auto again = SealingKey::from_hex(" \n" + key.to_hex() + "\r\n");
  ASSERT_THAT(again, IsOk());
  const auto sealed = key.seal(to_bytes("secret"), "c", random).value();
  EXPECT_THAT(again->unseal(sealed, "c"), IsOk());
  for (const std::string text : {"", "00", "zz", "  "}) {
    EXPECT_THAT(SealingKey::from_hex(text), Fails(HasSubstr("64 hexadecimal digits")));
  }
  EXPECT_FALSE(SealingKey::from_hex(key.to_hex() + "00"));
}

TEST(SealingKey, UnsealsWhatAnotherImplementationSealed) {
  // Python's `cryptography`: AESGCM(32 * b"\x01").encrypt(12 * b"\x02", b"hello", b"\x01ctx").
  const auto key = SealingKey::from_hex(to_hex(Bytes(32, 1))).value();
  const auto sealed =
      hex("01"
          "020202020202020202020202"
          "6fb3a5252551a7e4ec08937a8cf2a75f1c001353ed");
  EXPECT_EQ(key.unseal(sealed, "ctx").value(), to_bytes("hello"));
}

}  // namespace
}  // namespace cmpost
