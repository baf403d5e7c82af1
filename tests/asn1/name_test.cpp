#include "asn1/name.h"

#include <gmock/gmock.h>
#include <openssl/x509.h>

#include "tests/crypto/golden.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Name name(std::string_view text) {
  auto parsed = Name::from_text(text);
  EXPECT_THAT(parsed, IsOk()) << text;
  return parsed ? *parsed : Name();
}

// OpenSSL's idea of the same DER.
std::string rfc2253_of(const Name& name) {
  const std::uint8_t* at = name.der().data();
  X509_NAME* decoded = d2i_X509_NAME(nullptr, &at, static_cast<long>(name.der().size()));
  EXPECT_NE(decoded, nullptr);
  BIO* bio = BIO_new(BIO_s_mem());
  X509_NAME_print_ex(bio, decoded, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  const std::string result(text, static_cast<std::size_t>(size));
  BIO_free(bio);
  X509_NAME_free(decoded);
  return result;
}

TEST(Name, BothNotationsGiveTheSameDer) {
  EXPECT_EQ(name("CN=dev1,O=Grid,C=DE"), name("/C=DE/O=Grid/CN=dev1"));
  EXPECT_EQ(name(" CN = dev1 , O = Grid "), name("CN=dev1,O=Grid"));
  EXPECT_EQ(name("cn=dev1"), name("commonName=dev1"));
  EXPECT_EQ(name("2.5.4.3=dev1"), name("CN=dev1"));
  EXPECT_EQ(name("CN=#0c0464657631"), name("CN=dev1"));
}

TEST(Name, TextIsThatOfRfc4514) {
  for (const char* text :
       {"CN=dev1,O=Grid,C=DE", "CN=a\\, b\\+c,O=\\\"x\\\"", "CN=\\#1", "CN=\\ a\\ ",
        "CN=Zähler 7,O=Grid", "DC=example,DC=com", "CN=\\<\\>\\;\\\\"}) {
    const auto parsed = name(text);
    EXPECT_EQ(name(parsed.text()), parsed) << text;
    EXPECT_EQ(parsed.text(), rfc2253_of(parsed)) << text;
  }
  EXPECT_EQ(name("CN=a\\, b").text(), "CN=a\\, b");
}

TEST(Name, AMultiValuedRdnIsWrittenInTheOrderOfItsDer) {
  EXPECT_EQ(name("serialNumber=42+CN=x,O=y").text(), "CN=x+serialNumber=42,O=y");
  EXPECT_EQ(name("serialNumber=42+CN=x,O=y"), name("CN=x+serialNumber=42,O=y"));
}

TEST(Name, ControlCharactersArePrintedAsEscapes) {
  const auto tricky = name("CN=a\\0Ab\\1B[31m\\C2\\9B\\00");
  EXPECT_EQ(tricky.text(), "CN=a\\0ab\\1b[31m\\c2\\9b\\00");
  EXPECT_EQ(name(tricky.text()), tricky);
}

// Of every length in UTF-8, next to what has an escape of its own; and what nobody sees.
TEST(Name, TextOfAnyScriptComesBack) {
  for (const std::string text : {"CN=\u00e4", "CN=\u00e4\u00f6\\,\u8a2d",
                                 "CN=\\#\u65e5\u672c,O=\U0001f511 \u00e9", "CN=\\ \u00e4\\ "}) {
    EXPECT_EQ(name(text).text(), text);
    EXPECT_EQ(name(name(text).text()), name(text)) << text;
  }
  const auto unseen = name("CN=a\u202eb\u200b\U000e0041");
  EXPECT_EQ(unseen.text(), "CN=a\\e2\\80\\aeb\\e2\\80\\8b\\f3\\a0\\81\\81");
  EXPECT_EQ(name(unseen.text()), unseen);
}

TEST(Name, TheNullDnIsEmptyText) {
  EXPECT_TRUE(name("").is_null_dn());
  EXPECT_TRUE(Name().is_null_dn());
  EXPECT_EQ(Name().text(), "");
  EXPECT_EQ(name("/"), Name());
}

TEST(Name, MistakesAreExplained) {
  EXPECT_THAT(Name::from_text("dev1"), Fails(HasSubstr("no '='")));
  EXPECT_THAT(Name::from_text("XY=dev1"), Fails(HasSubstr("unknown attribute type")));
  EXPECT_THAT(Name::from_text("CN="), Fails(HasSubstr("empty")));
  EXPECT_THAT(Name::from_text("CN=a,"), Fails(HasSubstr("no '='")));
  EXPECT_THAT(Name::from_text("C=Germany"), Fails(HasSubstr("two letters")));
  EXPECT_THAT(Name::from_text("CN=a;b"), Fails(HasSubstr("write \\; for ;")));
  EXPECT_THAT(Name::from_text("CN=\"a\""), Fails(HasSubstr("write \\\"")));
  EXPECT_THAT(Name::from_text("CN=a\\q"), Fails(HasSubstr("unknown escape")));
  EXPECT_THAT(Name::from_text("CN=a\\"), Fails(HasSubstr("unknown escape")));
  EXPECT_THAT(Name::from_text("CN=#0c05646"), Fails(HasSubstr("hexadecimal")));
  EXPECT_THAT(Name::from_text("CN=#0c0564"), Fails(HasSubstr("not DER")));
  EXPECT_THAT(Name::from_text("CN=a\\ff"), Fails(HasSubstr("UTF-8")));
  EXPECT_THAT(Name::from_text("serialNumber=ä"), Fails(HasSubstr("only letters")));
  EXPECT_THAT(Name::from_text("DC=ä"), Fails(HasSubstr("only ASCII")));
  EXPECT_THAT(Name::from_text("CN=" + std::string(9000, 'a')), Fails(HasSubstr("8192")));
}

TEST(Name, SlashesMayBeEscaped) {
  EXPECT_EQ(*name("/O=a\\/b/CN=c,d").first(oid::id_at_organizationName), "a/b");
  EXPECT_EQ(*name("/O=a\\/b/CN=c,d").first(oid::id_at_commonName), "c,d");
}

TEST(Name, SameForgivesCaseBlanksAndStringTypes) {
  EXPECT_TRUE(name("CN=Dev  One ,O=Grid").same(name("cn=dev one,O=GRID")));
  EXPECT_TRUE(name("CN=dev1").same(name("CN=#130464657631")));          // PrintableString
  EXPECT_TRUE(name("CN=dev1").same(name("CN=#140464657631")));          // TeletexString
  EXPECT_TRUE(name("CN=dev1").same(name("CN=#1e080064006500760031")));  // BMPString
  EXPECT_TRUE(name("CN=ä").same(name("CN=#1401e4")));
  EXPECT_TRUE(name("CN=a+serialNumber=1").same(name("serialNumber=1+CN=A")));
  EXPECT_FALSE(name("CN=dev1").same(name("CN=dev2")));
  EXPECT_FALSE(name("CN=dev1,O=Grid").same(name("O=Grid,CN=dev1")));
  EXPECT_FALSE(name("CN=a,CN=b").same(name("CN=a+CN=b")));
  EXPECT_FALSE(name("CN=dev1").same(name("O=dev1")));
  EXPECT_FALSE(name("CN=\\#020101").same(name("CN=#020101")));
  EXPECT_FALSE(name("CN=dev1").same(Name()));
}

TEST(Name, AttributesComeInTheOrderOfTheDer) {
  const auto attributes = name("CN=dev1,O=Grid,C=DE").attributes();
  ASSERT_EQ(attributes.size(), 3U);
  EXPECT_EQ(attributes[0].type, oid::id_at_countryName);
  EXPECT_EQ(attributes[2].value, "dev1");
  EXPECT_EQ(name("CN=#020101").attributes()[0].value, "#020101");
  EXPECT_EQ(name("CN=dev1").first(oid::id_at_title), std::nullopt);
}

TEST(Name, StructureIsChecked) {
  for (const char* digits : {"3100",                    // not a SEQUENCE
                             "30023100",                // empty RDN
                             "30023000",                // RDN is no SET
                             "300431023000",            // attribute without type
                             "3009310730050603550403",  // attribute without value
                             "300d310b30090603550403130161"
                             "00",                                   // trailing octets inside
                             "300f310d300b06035504031301610500"}) {  // three members
    const Bytes input = hex(digits);
    der::Reader reader(input);
    const bool read = Name::read(reader).has_value() && reader.at_end();
    EXPECT_FALSE(read) << digits;
  }
}

TEST(Name, AgreesWithTheSubjectOfACertificate) {
  EXPECT_EQ(golden_certificate("leaf").subject().text(), "CN=leaf,O=Grid,C=DE");
}

TEST(GeneralName, TextRoundTrips) {
  for (const char* text : {"DNS:a.example", "email:a@b.example", "URI:https://a.example/x",
                           "IP:192.0.2.1", "IP:2001:db8::1", "RID:1.2.3", "dirName:CN=a,O=b"}) {
    const auto general = GeneralName::from_text(text);
    ASSERT_THAT(general, IsOk()) << text;
    EXPECT_EQ(general->text(), text);
    der::Reader reader(general->der);
    EXPECT_EQ(read_general_name(reader).value(), *general);
  }
  EXPECT_EQ(GeneralName::from_text("dns:a").value().text(), "DNS:a");
}

TEST(GeneralName, DirectoryNameGivesTheName) {
  const auto general = GeneralName::of(name("CN=a"));
  EXPECT_EQ(general.directory_name(), name("CN=a"));
  EXPECT_EQ(GeneralName::from_text("DNS:a").value().directory_name(), std::nullopt);
}

TEST(GeneralName, MalformedOnesAreRefused) {
  for (const char* digits : {"8900", "8201ff", "8703010203", "a4020500", "a40430003000", "880180",
                             "a0020500", "0c0161", "8000"}) {
    const Bytes input = hex(digits);
    der::Reader reader(input);
    EXPECT_FALSE(read_general_name(reader)) << digits;
  }
  for (const char* text : {"", "a", "IP:1.2.3", "RID:x", "DNS:", "dirName:x", "DNS:ä"}) {
    EXPECT_FALSE(GeneralName::from_text(text)) << text;
  }
}

}  // namespace
}  // namespace cmpost
