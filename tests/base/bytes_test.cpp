#include "base/bytes.h"

#include <gmock/gmock.h>

namespace cmpost {
namespace {

TEST(Hex, IsReadInBothCasesAndWrittenInOne) {
  EXPECT_EQ(to_hex(Bytes{0x00, 0xab, 0xff}), "00abff");
  EXPECT_EQ(from_hex("00ABff"), (Bytes{0x00, 0xab, 0xff}));
  EXPECT_EQ(from_hex(""), Bytes{});
  for (const auto* wrong : {"0", "0g", " 00", "0x00", "00 "})
    EXPECT_FALSE(from_hex(wrong)) << wrong;
}

// RFC 4648 10.
TEST(Base64, TheVectorsOfTheStandardHold) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [text, base64] : vectors) {
    EXPECT_EQ(to_base64(view_of(text)), base64);
    EXPECT_EQ(from_base64(base64), to_bytes(std::string_view(text)));
  }
}

TEST(Base64, LineBreaksAreSkipped) {
  EXPECT_EQ(from_base64(" Zm9v\r\n\tYmFy\n"), to_bytes(std::string_view("foobar")));
}

TEST(Base64, WhatIsNotCanonicalIsRefused) {
  for (const auto* wrong : {"Zg=", "Zg", "Z", "Zg===", "Zh==", "Zm9=", "====", "=",
                            "Zg==Zg==", "Zm9v!", "Zm9v-_", "Zm|v", "Zg=g"}) {
    EXPECT_FALSE(from_base64(wrong)) << wrong;
  }
}

TEST(Base64, EveryLengthComesBack) {
  Bytes bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
    bytes.push_back(static_cast<std::uint8_t>(i * 7));
  }
}

TEST(Printable, TextStaysAndControlsBecomeVisible) {
  EXPECT_EQ(printable("Ger\xc3\xa4t 1"), "Ger\xc3\xa4t 1");
  EXPECT_EQ(printable("a\nb\x1b[31m\x7f"), "a\\x0ab\\x1b[31m\\x7f");
  EXPECT_EQ(printable("\xff\xc0\xaf\xed\xa0\x80"), "\\xff\\xc0\\xaf\\xed\\xa0\\x80");
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\\x00b");
}

TEST(Printable, LongTextIsCutBetweenCharacters) {
  EXPECT_EQ(printable("aaaaaaaaaa", 5), "aaaaa...");
  EXPECT_EQ(printable("aaaaa", 5), "aaaaa");
  EXPECT_EQ(printable("aaaa\xc3\xa4", 5), "aaaa...");
}

}  // namespace
}  // namespace cmpost
