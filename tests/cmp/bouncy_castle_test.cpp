// Messages that Bouncy Castle made, among them bodies that no OpenSSL client sends.
#include <gmock/gmock.h>

#include "cmp/protection.h"
#include "golden_messages.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::SizeIs;

const std::string kBouncyFolder = std::string(CMPOST_TEST_DATA) + "/cmp/bouncycastle-1.72";
const Bytes kBouncySecret = to_bytes(std::string_view("insecure"));

// "sig-two.rr" is an rr, "pbm-p10cr" a p10cr.
std::string body_of(const GoldenMessage& golden) {
  return golden.name.substr(golden.name.find_last_of("-.") + 1);
}

PKIMessage bouncy_message(const std::string& name) {
  return decode(golden_file(name + ".der", kBouncyFolder)).value();
}

TEST(BouncyCastle, EveryMessageIsReadAndWrittenBackAsItWas) {
  const auto all = golden_messages(kBouncyFolder);
  EXPECT_THAT(all, SizeIs(38));
  for (const auto& golden : all) {
    const auto message = decode(golden.der);
    ASSERT_TRUE(message.has_value()) << golden.name << ": " << message.error().text();
    EXPECT_EQ(body_name(message->body), body_of(golden)) << golden.name;
    EXPECT_EQ(encode(*message), golden.der) << golden.name;
    EXPECT_EQ(encode_again(*message), golden.der) << golden.name;
  }
}

TEST(BouncyCastle, EveryPasswordBasedMacIsRight) {
  std::size_t count = 0;
  for (const auto& golden : golden_messages(kBouncyFolder)) {
    if (!golden.name.starts_with("pbm-")) continue;
    ++count;
    auto message = decode(golden.der).value();
    EXPECT_TRUE(verify_mac_protection(message, kBouncySecret, {}).has_value()) << golden.name;
    message.protection->bits[0] ^= 1;
    EXPECT_FALSE(verify_mac_protection(message, kBouncySecret, {}).has_value()) << golden.name;
  }
  EXPECT_EQ(count, 18U);
}

TEST(BouncyCastle, EverySignatureIsRight) {
  std::size_t count = 0;
  for (const auto& golden : golden_messages(kBouncyFolder)) {
    if (!golden.name.starts_with("sig-")) continue;
    ++count;
    auto message = decode(golden.der).value();
    ASSERT_THAT(message.extraCerts, SizeIs(1)) << golden.name;
    const auto signer = Certificate::from_der(message.extraCerts.front().der).value();
    const auto key = signer.public_key().value();
    EXPECT_TRUE(verify_signature_protection(message, key).has_value()) << golden.name;
    message.protection->bits[0] ^= 1;
    EXPECT_FALSE(verify_signature_protection(message, key).has_value()) << golden.name;
  }
  EXPECT_EQ(count, 19U);
}

TEST(BouncyCastle, MembersOfANestedMessageAreKeptToTheOctet) {
  const auto outer = bouncy_message("sig-two.nested");
  const auto& members = std::get<body::nested>(outer.body).messages;
  ASSERT_THAT(members, SizeIs(2));
  EXPECT_EQ(members[0], golden_file("pbm-member.ir.der", kBouncyFolder));
  EXPECT_EQ(members[1], golden_file("sig-member.cr.der", kBouncyFolder));
}

}  // namespace
}  // namespace cmpost
