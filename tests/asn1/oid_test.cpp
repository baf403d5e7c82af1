#include "asn1/oid.h"

#include <gtest/gtest.h>

#include "tests/crypto/golden.h"

namespace cmpost {
namespace {

TEST(Oid, DottedFormAndContentRoundTrip) {
  const std::pair<const char*, const char*> kPairs[] = {
      {"1.2.840.113549.1.1.1", "2a864886f70d010101"},
      {"0.39", "27"},
      {"1.39.0", "4f00"},
      {"2.39", "77"},
      {"2.40", "78"},
      {"2.48", "8100"},
      {"2.999.3", "883703"},
      {"2.25.329800735698586629295641978511506172918", "6983f09da7ebcfdee0c7a1a7b2c0948cc8f9d776"}};
  for (const auto& [dotted, content] : kPairs) {
    const auto from_text = Oid::from_dotted(dotted);
    const auto from_octets = Oid::from_content(hex(content));
    ASSERT_TRUE(from_text && from_octets) << dotted;
    EXPECT_EQ(*from_text, *from_octets);
    EXPECT_EQ(from_octets->dotted(), dotted);
    EXPECT_EQ(to_hex(from_text->content()), content);
  }
}

TEST(Oid, RefusesTextThatIsNotAnIdentifier) {
  for (const char* text : {"", "1", "3.1", "1.40", "1.", ".1", "1..2", "01.2", "1.02", "1.2.",
                           "1.x", "1.2.-3", " 1.2"}) {
    EXPECT_FALSE(Oid::from_dotted(text)) << text;
  }
  EXPECT_FALSE(Oid::from_dotted("1.2." + std::string(60, '9')));
  std::string long_one = "1.2";
  for (int i = 0; i < 63; ++i) long_one += ".1";
  EXPECT_FALSE(Oid::from_dotted(long_one));
}

TEST(Oid, RefusesContentThatIsCutOffPaddedOrTooLong) {
  EXPECT_FALSE(Oid::from_content({}));
  EXPECT_FALSE(Oid::from_content(hex("2a86")));
  EXPECT_FALSE(Oid::from_content(hex("2a8001")));
  EXPECT_FALSE(Oid::from_content(Bytes(64, 1)));
  EXPECT_TRUE(Oid::from_content(Bytes(63, 1)));
}

TEST(Oid, KnowsItsNameInTheRfc) {
  EXPECT_EQ(oid::ecdsa_with_SHA256.name(), "ecdsa-with-SHA256");
  EXPECT_EQ(Oid("1.2.3.4").name(), "1.2.3.4");
}

const Oid kCopiedBeforeMain = oid::id_ce_keyUsage;

TEST(Oid, ConstantsAreThereBeforeMain) { EXPECT_EQ(kCopiedBeforeMain.dotted(), "2.5.29.15"); }

}  // namespace
}  // namespace cmpost
