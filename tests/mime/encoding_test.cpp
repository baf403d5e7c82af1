#include "mime/encoding.h"

#include <gmock/gmock.h>

namespace cmpost {

namespace {

using ::testing::Eq;
using ::testing::Optional;

Bytes octets(std::string_view text) { return to_bytes(text); }

TEST(QuotedPrintable, IsDecoded) {
  EXPECT_THAT(from_quoted_printable("a=3Db=e4"), Optional(octets("a=b\xe4")));
  EXPECT_THAT(from_quoted_printable("a \t\r\nb  "), Optional(octets("a\r\nb")));
  EXPECT_THAT(from_quoted_printable("soft=\r\n break= \n."), Optional(octets("soft break.")));
  EXPECT_THAT(from_quoted_printable("a="), Optional(octets("a")));
  EXPECT_THAT(from_quoted_printable(""), Optional(octets("")));
}

TEST(QuotedPrintable, DamageIsNoticed) {
  for (const auto* text : {"=G0", "=0", "a=b", "\xe4", "a\rb", "\x01", "==3D"}) {
    EXPECT_THAT(from_quoted_printable(text), Eq(std::nullopt)) << text;
  }
}

TEST(QuotedPrintable, WhatIsWrittenIsReadAgain) {
  std::string text = ".\nFrom x\nblank at the end \ntab\t\n\n" + std::string(200, '=') + "\n";
  for (int i = 1; i < 256; ++i) {
    if (i != '\n') text.push_back(static_cast<char>(i));
  }
  text += std::string(75, 'x') + ".From here\n";
  const auto encoded = to_quoted_printable(text);
  std::string crlf;
  for (const char c : text) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
  EXPECT_THAT(from_quoted_printable(encoded), Optional(octets(crlf)));
}

TEST(QuotedPrintable, NoLineIsLongOrStartsLikeSomethingElse) {
  std::string text;
  for (int i = 0; i < 300; ++i)
    text += std::string(static_cast<std::size_t>(i % 90), 'x') + ".From \n";
  std::string_view rest = text;
  const auto encoded = to_quoted_printable(rest);
  rest = encoded;
  while (!rest.empty()) {
    const auto end = rest.find("\r\n");
    ASSERT_NE(end, rest.npos);
    EXPECT_LE(end, 76U);
    EXPECT_FALSE(rest.starts_with('.') || rest.starts_with("From "));
    rest.remove_prefix(end + 2);
  }
}

// mimetic's decoder reads beyond its table at '|' and takes "====" for an octet.
TEST(TransferEncodings, Base64IsStrict) {
  const auto decode = [](std::string_view text) {
    return decode_body(TransferEncoding::base64, view_of(text));
  };
  EXPECT_THAT(decode("MAA=\r\n"), Optional(octets(std::string_view("0\0", 2))));
  EXPECT_THAT(decode("M A\tA\r\n="), Optional(octets(std::string_view("0\0", 2))));
  for (const auto* text : {"MA|A", "====", "MAA", "MAA==", "MAA=MAA=", "MAB=", "=MAA", "MA-_"}) {
    EXPECT_THAT(decode(text), Eq(std::nullopt)) << text;
  }
}

TEST(TransferEncodings, AreReadWithBlanksAndComments) {
  EXPECT_THAT(read_transfer_encoding(" BASE64 (x)"), Eq(TransferEncoding::base64));
  EXPECT_THAT(read_transfer_encoding("Quoted-Printable"), Eq(TransferEncoding::quoted_printable));
  for (const auto* identity : {"7bit", "8BIT", "binary"}) {
    EXPECT_THAT(read_transfer_encoding(identity), Eq(TransferEncoding::identity));
  }
  for (const auto* unknown : {"", "x-uuencode", "base64 7bit", "base64; x=y", "7bit/8bit"}) {
    EXPECT_THAT(read_transfer_encoding(unknown), Eq(TransferEncoding::unknown));
  }
}

TEST(TransferEncodings, AnUnknownOneIsNotDecoded) {
  EXPECT_THAT(decode_body(TransferEncoding::unknown, view_of("abc")), Eq(std::nullopt));
}

}  // namespace

}  // namespace cmpost
