#include "processor/credentials/name_pattern.h"

#include "tests/processor/ca_under_test.h"

namespace cmpost {
namespace {

bool covers(std::string_view pattern, const Name& subject) {
  return must(SubjectPattern::parse(pattern)).covers(subject);
}
bool covers(std::string_view pattern, std::string_view subject) {
  return covers(pattern, name(subject));
}
bool covers_san(std::string_view pattern, std::string_view san) {
  return must(AlternativeNamePattern::parse(pattern)).covers(must(GeneralName::from_text(san)));
}

// CN=`value` as a string of this type.
Name common_name(der::Tag tag, std::string_view value) {
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    writer.constructed(der::kSet, [&] {
      writer.constructed(der::kSequence, [&] {
        writer.object_identifier(oid::id_at_commonName);
        writer.primitive(tag, view_of(value));
      });
    });
  });
  der::Reader reader(writer.bytes());
  return *Name::read(reader);
}

constexpr der::Tag kUtf8String = 0x0c, kPrintableString = 0x13, kBmpString = 0x1e;

TEST(SubjectPattern, EachAttributeCountsForOneOfThePatternOnly) {
  EXPECT_FALSE(covers("DC=*,DC=com,CN=dev1", "DC=com,CN=dev1,CN=admin"));
  EXPECT_TRUE(covers("DC=*,DC=com,CN=dev1", "DC=a,DC=com,CN=dev1"));
  EXPECT_FALSE(covers("CN=dev1", "CN=dev1,CN=dev1"));
  EXPECT_FALSE(covers("CN=*,CN=*", "CN=dev1"));
  EXPECT_FALSE(covers("CN=dev1,O=Grid", "CN=dev1"));
}

TEST(SubjectPattern, OrderAndMultiValuedRdnsCount) {
  EXPECT_FALSE(covers("CN=dev1,O=Grid", "O=Grid,CN=dev1"));
  EXPECT_FALSE(covers("CN=dev1,O=Grid", "CN=dev1+O=Grid"));
  EXPECT_TRUE(covers("CN=dev*+serialNumber=1", "serialNumber=1+CN=dev7"));
  EXPECT_FALSE(covers("CN=*+CN=dev1", "CN=dev1+O=Grid"));
}

TEST(SubjectPattern, ValuesCompareWhateverTheirEncoding) {
  EXPECT_TRUE(covers("CN=dev1", common_name(kPrintableString, "dev1")));
  EXPECT_TRUE(covers("CN=DEV*", common_name(kPrintableString, "dev1")));
  EXPECT_TRUE(covers("CN=dev1", common_name(kBmpString, std::string_view("\0d\0e\0v\0001", 8))));
}

TEST(SubjectPattern, StarCoversNothingThatCannotBeSeen) {
  for (const auto value :
       {std::string_view("dev\0", 4), std::string_view("dev\n1"), std::string_view("dev\x7f"),
        std::string_view("dev\xc2\x85"), std::string_view("dev\xe2\x80\xae"),
        std::string_view("dev\xff"), std::string_view("")}) {
    EXPECT_FALSE(covers("CN=*", common_name(kUtf8String, value))) << to_hex(view_of(value));
    EXPECT_FALSE(covers("CN=dev*", common_name(kUtf8String, value))) << to_hex(view_of(value));
  }
  EXPECT_TRUE(covers("CN=dev*", "CN=dev"));
  EXPECT_TRUE(covers("CN=d*v*1", "CN=device 1"));
  EXPECT_FALSE(covers("CN=*", common_name(kUtf8String, std::string(100'000, 'a'))));
}

TEST(SubjectPattern, StarCoversNoNameThatLooksLikeNoneOrLikeAnotherOne) {
  for (const auto* unseen :
       {"\xe3\x85\xa4", "\xe1\x85\x9f", "\xcd\x8f", "\xef\xb8\x8f", "\xd8\x9c", "\xe1\xa0\x8e",
        "\xf3\xa0\x81\x81", "\xef\xbf\xb9", "\xe2\x80\x83", "\xe3\x80\x80"}) {
    const auto value = std::string("dev-1") + unseen;
    EXPECT_FALSE(covers("CN=dev-*", common_name(kUtf8String, value))) << to_hex(view_of(value));
    EXPECT_FALSE(covers("CN=*", common_name(kUtf8String, unseen))) << to_hex(view_of(value));
  }
  EXPECT_FALSE(covers("CN=*", common_name(kUtf8String, " ")));
}

TEST(SubjectPattern, StarThatIsMeantAsAStarIsNoPattern) {
  for (const auto* text : {"CN=\\2a.corp.example", "CN=a\\2Ab"}) {
    EXPECT_FALSE(SubjectPattern::parse(text)) << text;
  }
}

TEST(SubjectPattern, StarCoversNoStarAndNothingThatEndsAValueInText) {
  for (const auto* value : {"dev-*", "dev-/admin", "dev-,OU=lab", "dev-\\"}) {
    EXPECT_FALSE(covers("CN=dev-*", common_name(kUtf8String, value))) << value;
    EXPECT_FALSE(covers("CN=*", common_name(kUtf8String, value))) << value;
  }
  EXPECT_TRUE(covers("CN=dev-\\/*", "CN=dev-\\/1")) << "what is written in the pattern";
  EXPECT_TRUE(covers("CN=*", "CN=M\xc3\xbcller\\, Inc. (a_b.c-d:5@x)"));
}

TEST(SubjectPattern, StarStandsAlsoWhereStringsHaveNone) {
  EXPECT_TRUE(covers("serialNumber=star*-starx,O=Grid", "serialNumber=star7-starx,O=Grid"));
  EXPECT_FALSE(covers("serialNumber=star*-starx,O=Grid", "serialNumber=7-starx,O=Grid"));
  EXPECT_FALSE(must(SubjectPattern::parse("serialNumber=*")).is_exact());
}

TEST(SubjectPattern, OfNothingIsNone) {
  EXPECT_FALSE(SubjectPattern::parse(""));
  EXPECT_FALSE(SubjectPattern::parse("dev1"));
}

TEST(AlternativeNamePattern, StarStaysWithinOneLabel) {
  EXPECT_TRUE(covers_san("DNS:*.grid.example", "DNS:dev-1.GRID.example"));
  for (const auto* other :
       {"DNS:a.b.grid.example", "DNS:.grid.example", "DNS:grid.example", "DNS:*.grid.example",
        "DNS:a.grid.example.evil", "email:a.grid.example", "URI:a.grid.example"}) {
    EXPECT_FALSE(covers_san("DNS:*.grid.example", other)) << other;
  }
  EXPECT_TRUE(covers_san("email:*@grid.example", "email:dev1@grid.example"));
  EXPECT_FALSE(covers_san("email:*@grid.example", "email:a@b@grid.example"));
  EXPECT_TRUE(covers_san("URI:urn:dev:*", "URI:urn:dev:17"));
  EXPECT_TRUE(covers_san("IP:192.0.2.*", "IP:192.0.2.7"));
}

TEST(AlternativeNamePattern, WildcardIsNamedByAnEscapedStar) {
  EXPECT_TRUE(covers_san("DNS:\\*.grid.example", "DNS:*.grid.example"));
  EXPECT_FALSE(covers_san("DNS:\\*.grid.example", "DNS:a.grid.example"));
}

TEST(AlternativeNamePattern, ExactOneComparesByValue) {
  EXPECT_TRUE(covers_san("DNS:dev1.example", "DNS:DEV1.example"));
  EXPECT_TRUE(covers_san("IP:2001:db8::1", "IP:2001:db8:0::1"));
  EXPECT_FALSE(covers_san("email:a@x.example", "email:A@x.example"));
  EXPECT_FALSE(AlternativeNamePattern::parse("dev1.example"));
  EXPECT_FALSE(AlternativeNamePattern::parse("IP:*"));
}

}  // namespace
}  // namespace cmpost
