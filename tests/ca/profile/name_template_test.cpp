// What a request may put into a name that a profile derives from it.
#include "ca/lint/extension_values.h"
#include "tests/ca/profile_fixture.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;
using Reason = Refusal::Reason;

class DerivedNames : public ProfileTest {
 protected:
  // The name that the template makes of CN = `value`; what is wrong where it makes none.
  std::string made(const std::string& pattern, std::string_view value) {
    std::string text = "CN=";
    for (const char c : value) text += "\\" + to_hex(view_of(std::string_view(&c, 1)));
    wish.subject = name(text);
    return made(pattern);
  }
  std::string made(const std::string& pattern) {
    settings.extensions.fields = {
        {"2.5.29.17",
         "subjectAltName",
         {.kind = ExtensionRule::Kind::derive, .der_hex = {}, .names = {pattern}}}};
    settings.san.dirname = true;
    const auto granted = plan();
    if (!granted) return "refused: " + granted.error().text;
    const auto values =
        read_values({*find(granted->extensions, oid::id_ce_subjectAltName)}).value();
    return values.subjectAltName->front().text();
  }
};

MATCHER(IsRefused, "") { return arg.starts_with("refused: "); }

TEST_F(DerivedNames, InAHostAreOneLabel) {
  EXPECT_EQ(made("DNS:{CN}.grid.example", "dev-1_a"), "DNS:dev-1_a.grid.example");
  EXPECT_EQ(made("URI:https://{CN}.example/x", "dev1"), "URI:https://dev1.example/x");
  EXPECT_EQ(made("email:post@{CN}.example", "dev1"), "email:post@dev1.example");
  for (const auto* pattern :
       {"DNS:{CN}.example", "DNS:a.{CN}.example", "URI:https://{CN}.example/x",
        "URI:https://{CN}.example:443/x", "email:post@{CN}.example"}) {
    for (const auto* value : {"dev.bank.example/", "bank.example?", "bank.example#", "a@b", "a:b",
                              "a%2f", "a b", "a\\b", "dev.bank", "*", "[a", "\xc3\xa4"}) {
      EXPECT_THAT(made(pattern, value), IsRefused()) << pattern << " " << value;
    }
  }
  EXPECT_THAT(made("URI:https://{CN}.example/x", "bank.example/"), HasSubstr("letters, digits"));
}

TEST_F(DerivedNames, InAPathAreEncoded) {
  EXPECT_EQ(made("URI:https://a.example/{CN}/x?y={CN}#z", "b/c?d&e#f%g h"),
            "URI:https://a.example/b%2fc%3fd%26e%23f%25g%20h/x?y=b%2fc%3fd%26e%23f%25g%20h#z");
  EXPECT_EQ(made("URI:urn:dev:{CN}", "a:b"), "URI:urn:dev:a%3ab");
  for (const auto* value : {"..", "."}) {
    EXPECT_THAT(made("URI:https://a.example/x/{CN}/y", value), IsRefused());
    EXPECT_THAT(made("URI:https://a.example/x/{CN}", value), IsRefused());
  }
  EXPECT_THAT(made("URI:https://a.example/x/.{CN}", "."), IsRefused());
  EXPECT_THAT(made("URI:https://a.example:{CN}/", "80@b"), IsRefused());
  EXPECT_THAT(made("URI:{CN}", "https://bank.example/"), IsRefused());
}

TEST_F(DerivedNames, InAMailboxRouteNothing) {
  EXPECT_EQ(made("email:{CN}@grid.example", "dev.1+a"), "email:dev.1+a@grid.example");
  for (const auto* value : {"a@bank.example", "a%bank.example", "bank!a", "a b", "\"a\"", ".a"}) {
    EXPECT_THAT(made("email:{CN}@grid.example", value), IsRefused()) << value;
  }
}

TEST_F(DerivedNames, InADirectoryNameAreOneValue) {
  EXPECT_EQ(made("dirName:CN={CN},O=Grid", "a,O=Bank"), "dirName:CN=a\\,O=Bank,O=Grid");
  EXPECT_EQ(made("dirName:/O=Grid/CN={CN}", "a/O=Bank"), "dirName:CN=a/O=Bank,O=Grid");
}

TEST_F(DerivedNames, WholeNamesStayWhole) {
  wish.extensions = {alt_names({"DNS:www.grid.example", "email:a.b@grid.example",
                                "URI:https://grid.example/a?b=c", "IP:2001:db8::1"})};
  EXPECT_EQ(made("DNS:{dns}.internal"), "DNS:www.grid.example.internal");
  EXPECT_EQ(made("email:{email}"), "email:a.b@grid.example");
  settings.san.uri_schemes.emplace_back("mailto");
  EXPECT_EQ(made("URI:mailto:{email}"), "URI:mailto:a.b@grid.example");
  EXPECT_EQ(made("URI:{uri}"), "URI:https://grid.example/a?b=c");
  EXPECT_EQ(made("IP:{ip}"), "IP:2001:db8::1");
  EXPECT_EQ(made("URI:https://{ip}/x"), "URI:https://[2001:db8::1]/x");
  EXPECT_EQ(made("URI:https://[{ip}]:{key}/x").substr(0, 8), "refused:");
  EXPECT_EQ(made("URI:https://{dns}/x"), "URI:https://www.grid.example/x");
  EXPECT_THAT(made("DNS:{ip}.example"), IsRefused());
  EXPECT_THAT(made("DNS:{email}.example"), IsRefused());
}

TEST_F(DerivedNames, ProfileSaysOfWhichKind) {
  settings.extensions.fields = {
      {"2.5.29.17",
       "subjectAltName",
       {.kind = ExtensionRule::Kind::derive, .der_hex = {}, .names = {"{CN}"}}}};
  const auto profile = Profile::create(settings);
  ASSERT_FALSE(profile);
  EXPECT_THAT(profile.error().what, HasSubstr("of which kind"));
}

}  // namespace
}  // namespace cmpost
