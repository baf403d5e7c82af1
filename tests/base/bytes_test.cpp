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

std::string utf8(char32_t c) {
  std::string text;
  if (c < 0x80) return {static_cast<char>(c)};
  if (c < 0x800) {
    text += static_cast<char>(0xc0 | c >> 6);
  } else {
    text += static_cast<char>(0xe0 | c >> 12);
    text += static_cast<char>(0x80 | (c >> 6 & 63));
  }
  return text + static_cast<char>(0x80 | (c & 63));
}

TEST(Printable, NoControlOfTheFirstPageIsLeft) {
  for (char32_t c = 0; c < 0x100; ++c) {
    const bool control = c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad;
    const auto shown = printable("a" + utf8(c) + "b");
    EXPECT_EQ(shown == "a" + utf8(c) + "b", !control) << static_cast<int>(c);
    for (const char octet : shown) EXPECT_GE(static_cast<unsigned char>(octet), 0x20);
    // The same as one octet is no UTF-8.
    if (c >= 0x80) {
      EXPECT_EQ(printable(std::string(1, static_cast<char>(c))).substr(0, 2), "\\x");
    }
  }
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b31m")
      << "CSI";
}

TEST(Printable, NothingTurnsALineAroundOrEndsIt) {
  for (const char32_t c : {0x61c, 0x200b, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202b, 0x202c,
                           0x202d, 0x202e, 0x2060, 0x2066, 0x2067, 0x2068, 0x2069, 0xfeff}) {
    EXPECT_EQ(printable("a" + utf8(c)).substr(0, 3), "a\\x") << std::hex << static_cast<int>(c);
  }
  EXPECT_EQ(printable("\xf3\xa0\x81\x81"), "\\xf3\\xa0\\x81\\x81") << "a tag";
  for (const auto* text :
       {"\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d", "\xe6\x97\xa5\xe6\x9c\xac", "\xf0\x9f\x94\x91"}) {
    EXPECT_EQ(printable(text), text);
  }
}

TEST(Printable, LongTextIsCutBetweenCharacters) {
  EXPECT_EQ(printable("aaaaaaaaaa", 5), "aaaaa...");
  EXPECT_EQ(printable("aaaaa", 5), "aaaaa");
  EXPECT_EQ(printable("aaaa\xc3\xa4", 5), "aaaa...");
}

TEST(Shortened, BothEndsStayAndTheCutIsBetweenCharacters) {
  EXPECT_EQ(shortened("0123456789", 10), "0123456789");
  EXPECT_EQ(shortened("0123456789", 9), "0123~6789");
  EXPECT_EQ(shortened("0123456789", 4), "0~89");
  EXPECT_EQ(shortened("0123456789", 3), "0~9");
  const std::string umlauts = "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f";
  EXPECT_EQ(shortened(umlauts, 7), "\xc3\xa4~\xc3\x9f");
  for (std::size_t limit = 3; limit < 9; ++limit) {
    EXPECT_TRUE(is_utf8(shortened(umlauts, limit))) << limit;
    EXPECT_LE(shortened(umlauts, limit).size(), limit);
  }
  EXPECT_LE(shortened(std::string(10, '\x80'), 5).size(), 5U) << "what is not UTF-8";
}

}  // namespace
}  // namespace cmpost
