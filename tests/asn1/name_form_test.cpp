#include "asn1/name_form.h"

#include <gmock/gmock.h>

#include "asn1/der_form.h"
#include "tests/crypto/golden.h"
#include "tests/support/matchers.h"

namespace cmpost::name_form {
namespace {

Bytes attribute(std::string_view type, der::Tag tag, ByteView value) {
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    writer.object_identifier(Oid(type));
    writer.primitive(tag, value);
  });
  return std::move(writer).take();
}

Name name_of(const std::vector<Bytes>& attributes) {
  der::Writer writer;
  writer.constructed(der::kSequence,
                     [&] { writer.constructed(der::kSet, [&] { writer.raw(attributes); }); });
  der::Reader reader(writer.bytes());
  return Name::read(reader).value();
}

Name name_of(der::Tag tag, std::string_view hex, std::string_view type = "2.5.4.3") {
  return name_of({attribute(type, tag, from_hex(hex).value())});
}

TEST(NameForm, StringsOfTheUsualTypesAreTaken) {
  EXPECT_FALSE(wrong_form(Name()));
  for (const auto* text : {"CN=dev1,O=Grid,C=DE", "CN=a+serialNumber=7,DC=grid,DC=example",
                           "emailAddress=a@b.example,CN=\xc3\xa4", "1.2.3.4=#0c0161"}) {
    EXPECT_FALSE(wrong_form(Name::from_text(text).value())) << text;
  }
  EXPECT_FALSE(wrong_form(name_of(der::kBmpString, "00640065")));
  EXPECT_FALSE(wrong_form(name_of(der::kTeletexString, "6120")));
  EXPECT_FALSE(wrong_form(name_of(der::kNumericString, "31")));
}

TEST(NameForm, StringsThatAreNoneAreFound) {
  const std::pair<der::Tag, const char*> kBad[] = {
      {der::kBmpString, "0064006500"},
      {der::kBmpString, "d800dc00"},
      {der::kUtf8String, "ff"},
      {der::kUtf8String, "c0af"},
      {der::kUtf8String, "6100"},
      {der::kUtf8String, ""},
      {der::kPrintableString, "612a"},
      {der::kPrintableString, "6140"},
      {der::kPrintableString, "615f"},
      {der::kPrintableString, "c3a4"},
      {der::kIa5String, "e4"},
      {der::kNumericString, "61"},
      {der::kTeletexString, "611b"},
      {der::kTeletexString, "61e4"},
      {der::kUniversalString, "00000041"},
      {der::kVisibleString, "61"},
      {der::kInteger, "01"},
      {der::kBoolean, "ff"},
      {der::kOctetString, "61"},
      {der::kBitString, "0061"},
      {der::kOid, "551d0e"},
      {der::kNull, ""},
      {der::kGeneralizedTime, "32303530303130313030303030305a"},
      {der::kSequence, ""},
      {der::context(0), "61"}};
  for (const auto& [tag, hex] : kBad) {
    EXPECT_TRUE(wrong_form(name_of(tag, hex))) << int{tag} << " " << hex;
    // Whatever the attribute, also one that nobody knows.
    EXPECT_TRUE(wrong_form(name_of(tag, hex, "1.2.3.4"))) << int{tag} << " " << hex;
  }
  EXPECT_TRUE(wrong_form(name_of(der::kUtf8String, "61", "2.25.3298007356985866292956419")));
}

TEST(NameForm, AttributesOfAnRdnAreInOrderAndDiffer) {
  const auto common = attribute("2.5.4.3", der::kUtf8String, view_of("relay-20"));
  const auto serial = attribute("2.5.4.5", der::kPrintableString, view_of("F12"));
  EXPECT_FALSE(wrong_form(name_of({serial, common}))) << "the shorter one first";
  EXPECT_TRUE(wrong_form(name_of({common, serial})));
  EXPECT_TRUE(wrong_form(name_of({serial, serial})));
}

GeneralName general(der::Tag tag, ByteView content) {
  der::Writer writer;
  writer.primitive(tag, content);
  return {std::move(writer).take()};
}

TEST(NameForm, GeneralNamesAreLookedInto) {
  for (const auto* text :
       {"DNS:a.example", "DNS:*.a.example", "email:a@b.example", "URI:https://a.example/b?c#d",
        "URI:urn:uuid:1", "IP:192.0.2.1", "IP:2001:db8::1", "RID:1.2.3", "dirName:CN=a"}) {
    EXPECT_FALSE(wrong_form(GeneralName::from_text(text).value())) << text;
  }
  const std::pair<der::Tag, Bytes> kBad[] = {
      {der::context(1), {}},
      {der::context(1), to_bytes("a@b.example\n")},
      {der::context(2), {}},
      {der::context(2), {'a', 0, 'b'}},
      {der::context(2), {'a', 0xe4}},
      {der::context(2), to_bytes("a b")},
      {der::context(6), to_bytes("urn:\x7f")},
      {der::context(7), {1, 2, 3}},
      {der::context(7), {1, 2, 3, 4, 255, 255, 255, 0}},
      {der::context(8), {0x80, 1}},
      {der::context_constructed(3), {}},
      {der::context_constructed(5), {}},
      {der::context_constructed(0), from_hex("06012aa0030c01ff").value()},
      {der::context_constructed(4), to_bytes(name_of(der::kBmpString, "00").der())}};
  for (const auto& [tag, content] : kBad) {
    EXPECT_TRUE(wrong_form(general(tag, content))) << int{tag} << " " << to_hex(content);
  }
}

TEST(NameForm, UrisAreThoseOfTheRfc) {
  for (const auto* good : {"http://a.example/b", "ldap://a/b", "ldap:///cn=a,dc=b?x", "urn:x:1",
                           "file:///a", "http://u:p@a.example:8080/%41", "http://[2001:db8::1]:80/",
                           "spiffe://td/a", "mailto:a@b", "tag:a,2026:b"}) {
    EXPECT_TRUE(is_uri(good)) << good;
  }
  for (const auto* bad : {"",
                          "a",
                          ":a",
                          "1a:b",
                          "a b:c",
                          "http://a b/",
                          "http://a.example/%4",
                          "http://a.example/%zz",
                          "http://a..b/",
                          "http://.a/",
                          "http://a./",
                          "http://a:x/",
                          "http://%41/",
                          "http://[::1/",
                          "http://[g]/",
                          "http://[:]/",
                          "http://[]/",
                          "urn:a\\b",
                          "urn:a\"b",
                          "urn:<a>",
                          "urn:{a}",
                          "urn:a|b",
                          "urn:a^b",
                          "urn:a#b#c",
                          "http://:80/",
                          "javascript:"}) {
    EXPECT_FALSE(is_uri(bad)) << bad;
  }
}

TEST(NameForm, ConstraintsHaveRangesAndParts) {
  const auto use = NameUse::constraint;
  EXPECT_FALSE(wrong_form(general(der::context(7), from_hex("0a000000ff000000").value()), use));
  EXPECT_TRUE(wrong_form(general(der::context(7), from_hex("0a000000ff00ff00").value()), use));
  EXPECT_TRUE(wrong_form(general(der::context(7), from_hex("0a000000").value()), use));
  EXPECT_FALSE(wrong_form(general(der::context(2), {}), use));
  EXPECT_FALSE(wrong_form(general(der::context(2), to_bytes(".example")), use));
  EXPECT_FALSE(wrong_form(general(der::context(6), to_bytes(".example")), use));
}

}  // namespace
}  // namespace cmpost::name_form
