#include "mime/fields.h"

#include <gmock/gmock.h>

#include "tests/support/matchers.h"

namespace cmpost {

namespace {

using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::SizeIs;

ContentField content_field(std::string_view value) {
  auto field = read_content_field(value);
  EXPECT_THAT(field, IsOk()) << value;
  return field ? *field : ContentField{};
}

std::string disposition_name(std::string_view value) {
  return file_name_of({}, content_field(value));
}

TEST(ContentFields, TypesAreLowerCaseAndWithoutBlanksAndComments) {
  for (const auto* value :
       {"application/pkixcmp", " Application/PKIXcmp ", "application/pkixcmp ; name=x",
        "application/pkixcmp(comment)", "application / pkixcmp", "(a(b\\))c) application/pkixcmp",
        "application/pkixcmp;\r\n\tname=x"}) {
    EXPECT_THAT(content_field(value).value, Eq("application/pkixcmp")) << value;
  }
}

TEST(ContentFields, QuotedStringsMayContainAnything) {
  const auto field =
      content_field("a/b; x=\"1;2\"; Y=\"say \\\"hi\\\" \\\\ (no comment)\"; z=\"a\r\n b\"");
  EXPECT_THAT(field.parameter("x"), Eq("1;2"));
  EXPECT_THAT(field.parameter("y"), Eq("say \"hi\" \\ (no comment)"));
  EXPECT_THAT(field.parameter("z"), Eq("a b"));
  EXPECT_THAT(field.parameter("missing"), Eq(""));
}

TEST(ContentFields, AnUnquotedValueMayContainWhatMailProgramsForgetToQuote) {
  EXPECT_THAT(content_field("a/b; boundary=--=_Part/1?:x").parameter("boundary"),
              Eq("--=_Part/1?:x"));
}

TEST(ContentFields, WhatReadersDisagreeAboutIsRefused) {
  EXPECT_THAT(read_content_field("a/b; x=1; x=2"), Fails(HasSubstr("twice")));
  EXPECT_THAT(read_content_field("a/b; x=1; X=2"), Fails(HasSubstr("twice")));
  EXPECT_THAT(read_content_field("a/b x=1"), Fails(HasSubstr("no parameter")));
  EXPECT_THAT(read_content_field("a/b; x=1 2"), Fails(HasSubstr("no parameter")));
  EXPECT_THAT(read_content_field("a/b; x="), Fails(HasSubstr("without a value")));
  EXPECT_THAT(read_content_field("a/b; x=\"1"), Fails(HasSubstr("quoted string")));
  EXPECT_THAT(read_content_field("a/b; x=\"1\\"), Fails(HasSubstr("quoted string")));
  EXPECT_THAT(read_content_field("a/b (("), Fails(HasSubstr("comment")));
  EXPECT_THAT(read_content_field("a/b (\\"), Fails(HasSubstr("comment")));
  EXPECT_THAT(read_content_field(""), Fails(HasSubstr("start with a word")));
  EXPECT_THAT(read_content_field("\xe4/b"), Fails(HasSubstr("start with a word")));
}

TEST(ContentFields, ManyCommentsInsideOneAnotherNeedNoStack) {
  const std::string open(60000, '('), close(60000, ')');
  EXPECT_THAT(content_field("a/b " + open + close).value, Eq("a/b"));
  EXPECT_THAT(read_content_field("a/b " + open), Fails(HasSubstr("comment")));
}

TEST(ContentFields, TheNumberOfParametersIsLimited) {
  std::string value = "a/b";
  for (int i = 0; i < 101; ++i) value += "; x" + std::to_string(i) + "=y";
  EXPECT_THAT(read_content_field(value), Fails(HasSubstr("too many")));
}

// RFC 2231 4.1 shows this one.
TEST(ExtendedParameters, ThePiecesOfTheExampleInRfc2231AreJoined) {
  const auto field = content_field(
      "application/x-stuff; title*0*=us-ascii'en'This%20is%20even%20more%20; "
      "title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*2=\"isn't it!\"");
  EXPECT_THAT(field.parameter("title"), Eq("This is even more ***fun*** isn't it!"));
  EXPECT_THAT(field.parameters, SizeIs(1));
}

TEST(ExtendedParameters, TheExtendedOneWinsWhereverItStands) {
  EXPECT_THAT(disposition_name("attachment; filename=a.txt; filename*=utf-8''b.pki"), Eq("b.pki"));
  EXPECT_THAT(disposition_name("attachment; filename*=utf-8''b.pki; filename=a.txt"), Eq("b.pki"));
}

TEST(ExtendedParameters, GapsAndDoublesAreRefused) {
  for (const auto* value :
       {"a/b; x*1=a", "a/b; x*0=a; x*2=b", "a/b; x*0=a; x*0*=''b", "a/b; x*=''a; x*0=b",
        "a/b; x*a=b", "a/b; x*00=b", "a/b; x*100=b", "a/b; *0=b", "a/b; x**=b", "a/b; x*=b",
        "a/b; x*=utf-8'b", "a/b; x*=utf-8''%4", "a/b; x*=utf-8''%"}) {
    EXPECT_FALSE(read_content_field(value)) << value;
  }
}

TEST(FileNames, AreDecodedToUtf8) {
  EXPECT_THAT(disposition_name("attachment; filename*=iso-8859-1''ger%E4t.pki"),
              Eq("ger\xc3\xa4t.pki"));
  EXPECT_THAT(disposition_name("attachment; filename=\"=?utf-8?q?ger=C3=A4t?= =?utf-8?q?.pki?=\""),
              Eq("ger\xc3\xa4t.pki"));
  EXPECT_THAT(disposition_name("attachment; filename=\"ger\xe4t.pki\""),
              Eq("ger\xef\xbf\xbdt.pki"));
}

TEST(FileNames, HaveNoDirectoriesAndNoControlCharacters) {
  EXPECT_THAT(disposition_name(R"(attachment; filename="../../etc/a.pki")"), Eq("a.pki"));
  EXPECT_THAT(disposition_name(R"(attachment; filename="C:\\temp\\a.pki")"), Eq("a.pki"));
  EXPECT_THAT(disposition_name("attachment; filename*=utf-8''a%0D%0Ab%00.pki"), Eq("a  b .pki"));
  EXPECT_THAT(disposition_name("attachment; filename*=utf-8''..%2Fa%2F.."), Eq(""));
}

TEST(FileNames, LongOnesKeepTheirSuffix) {
  const auto name = disposition_name("attachment; filename=" + std::string(1000, 'a') + ".pki");
  EXPECT_THAT(name, SizeIs(255));
  EXPECT_TRUE(name.ends_with("a.pki"));
}

TEST(FileNames, ComeFromTheDispositionFirst) {
  EXPECT_THAT(file_name_of(content_field("a/b; name=type.pki"), {}), Eq("type.pki"));
  EXPECT_THAT(file_name_of(content_field("a/b; name=type.pki"),
                           content_field("attachment; filename=disposition.pki")),
              Eq("disposition.pki"));
}

}  // namespace

}  // namespace cmpost
