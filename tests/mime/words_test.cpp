#include "mime/words.h"

#include <gmock/gmock.h>

#include "mime/charset.h"

namespace cmpost {

namespace {

using ::testing::Eq;

TEST(EncodedWords, AreDecoded) {
  EXPECT_THAT(decode_words("=?UTF-8?B?w6Q=?= and =?iso-8859-1?q?=E4_b?="),
              Eq("\xc3\xa4 and \xc3\xa4 b"));
  EXPECT_THAT(decode_words("=?utf-8*de?q?=C3=A4?="), Eq("\xc3\xa4"));
}

// RFC 2047 8.
TEST(EncodedWords, BlanksBetweenTwoOfThemAreNotPartOfTheText) {
  EXPECT_THAT(decode_words("(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)"), Eq("(ab)"));
  EXPECT_THAT(decode_words("=?ISO-8859-1?Q?a?= b"), Eq("a b"));
  EXPECT_THAT(decode_words("=?ISO-8859-1?Q?a_?= =?ISO-8859-1?Q?b?="), Eq("a b"));
}

TEST(EncodedWords, ACharacterThatIsCutByTheEndOfAWordIsPutTogether) {
  EXPECT_THAT(decode_words("=?utf-8?q?=C3?= =?utf-8?q?=A4?="), Eq("\xc3\xa4"));
}

TEST(EncodedWords, WhatOnlyLooksLikeOneStays) {
  for (const auto* text : {"=?utf-8?b?w6Q?=", "=?utf-8?x?abc?=", "=?utf-8?q?=GG?=",
                           "=?utf-8?q?a b?=", "=?utf-8?q", "=?", "=?=?=?", "=?a?b?c", "a =? b"}) {
    EXPECT_THAT(decode_words(text), Eq(text));
  }
}

TEST(EncodedWords, NeverBringControlCharactersOrBrokenUtf8) {
  EXPECT_THAT(decode_words("=?utf-8?q?a=0D=0ABcc:_x=00?="), Eq("a  Bcc: x "));
  EXPECT_THAT(decode_words("=?utf-8?q?=FF?="), Eq("\xef\xbf\xbd"));
  EXPECT_THAT(decode_words("\xff"), Eq("\xef\xbf\xbd"));
}

TEST(EncodedWords, ManyBeginningsWithoutAnEndAreCheap) {
  std::string text;
  while (text.size() < 64000) text += "=?a?b?";
  EXPECT_THAT(decode_words(text), Eq(text));
}

TEST(EncodedWords, AreWrittenInPiecesThatEndAtCharacters) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "\xc3\xa4 ";
  const auto encoded = encode_words(text);
  std::string one_line;
  std::size_t column = 0;
  for (const char c : encoded) {
    column = c == '\n' ? 0 : column + 1;
    EXPECT_LE(column, 77U);
    if (c != '\r' && c != '\n') one_line.push_back(c);
  }
  EXPECT_THAT(decode_words(one_line), Eq(text));
}

TEST(Utf8, OnlyTheShortestFormsOfUnicodeCharactersAreWellFormed) {
  for (const auto* text : {"", "abc", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}) {
    EXPECT_TRUE(is_utf8(text));
  }
  for (const auto* text : {"\x80", "\xc0\x80", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80",
                           "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xff"}) {
    EXPECT_FALSE(is_utf8(text));
  }
}

TEST(Charsets, LatinIsConvertedAndTheUnknownKeepsItsAscii) {
  EXPECT_THAT(to_utf8("ISO-8859-1", "a\xe4\x85"), Eq("a\xc3\xa4 "));
  EXPECT_THAT(to_utf8("klingon", "a\xe4.pki"), Eq("a\xef\xbf\xbd.pki"));
}

}  // namespace

}  // namespace cmpost
