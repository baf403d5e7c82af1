// subjectAltName and the other extensions.
#include "tests/ca/profile_fixture.h"

namespace cmpost {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Reason = Refusal::Reason;

TEST_F(ProfileTest, RefusesAnEmptySubjectWithoutSubjectAltName) {
  wish.subject = Name();
  EXPECT_THAT(plan(), Refuses(Reason::subject, HasSubstr("subjectAltName")));
}

TEST_F(ProfileTest, MakesSubjectAltNameCriticalWhenTheSubjectIsEmpty) {
  wish.subject = Name();
  wish.extensions = {alt_names({"DNS:a.example"})};
  const auto granted = plan();
  ASSERT_TRUE(granted) << granted.error().text;
  EXPECT_TRUE(find(granted->extensions, oid::id_ce_subjectAltName)->critical);
  EXPECT_THAT(granted->changes, ElementsAre(HasSubstr("critical")));
  wish.extensions = {alt_names({"DNS:a.example"}, true)};
  EXPECT_THAT(plan()->changes, IsEmpty());
}

TEST_F(ProfileTest, GrantsAllowedKindsOfSubjectAltName) {
  wish.extensions = {alt_names(
      {"DNS:a.example", "IP:192.0.2.1", "IP:2001:db8::1", "email:a@b.example", "URI:urn:dev:1"})};
  const auto granted = plan();
  ASSERT_TRUE(granted) << granted.error().text;
  EXPECT_EQ(*find(granted->extensions, oid::id_ce_subjectAltName), wish.extensions[0]);
  EXPECT_THAT(granted->changes, IsEmpty());
}

TEST_F(ProfileTest, RefusesKindsOfSubjectAltNameThatAreNotAllowed) {
  settings.san = SanKinds{.dns = true, .ip = false, .email = false, .uri = false, .dirname = false};
  for (const char* text :
       {"IP:192.0.2.1", "email:a@b.example", "URI:urn:dev:1", "dirName:CN=x", "RID:1.2.3"}) {
    wish.extensions = {alt_names({"DNS:a.example", text})};
    EXPECT_THAT(plan(), Refuses(Reason::extension, HasSubstr("not allowed"))) << text;
  }
}

TEST_F(ProfileTest, RefusesASubjectAltNameWithTricksInIt) {
  const std::string hidden("DNS:good.example\0.evil.example", 30);
  wish.extensions = {alt_names({hidden})};
  EXPECT_THAT(plan(), Refuses(Reason::extension, HasSubstr("no host name")));
}

Extension unknown_extension(bool critical) { return {Oid("1.2.3.4"), critical, {0x05, 0x00}}; }

TEST_F(ProfileTest, LeavesOutAnUnknownExtensionAndSaysSo) {
  wish.extensions = {unknown_extension(false)};
  const auto granted = plan();
  ASSERT_TRUE(granted) << granted.error().text;
  EXPECT_EQ(find(granted->extensions, Oid("1.2.3.4")), nullptr);
  EXPECT_THAT(granted->changes, ElementsAre("1.2.3.4: left out"));
}

TEST_F(ProfileTest, RefusesAnUnknownCriticalExtensionThatItWouldLeaveOut) {
  wish.extensions = {unknown_extension(true)};
  EXPECT_THAT(plan(), Refuses(Reason::extension, HasSubstr("critical extension 1.2.3.4")));
}

TEST_F(ProfileTest, CopiesOrDeniesUnknownExtensionsByRule) {
  wish.extensions = {unknown_extension(true)};
  settings.extensions.other = ExtensionRule::Kind::copy;
  EXPECT_EQ(*find(plan()->extensions, Oid("1.2.3.4")), wish.extensions[0]);
  EXPECT_THAT(plan()->changes, IsEmpty());
  settings.extensions.other = ExtensionRule::Kind::deny;
  EXPECT_THAT(plan(), Refuses(Reason::extension, HasSubstr("1.2.3.4")));
}

TEST_F(ProfileTest, RefusesWhenARequiredExtensionIsMissing) {
  settings.extensions.fields[0].rule.kind = ExtensionRule::Kind::require;
  EXPECT_THAT(plan(), Refuses(Reason::extension, HasSubstr("subjectAltName is missing")));
  wish.extensions = {alt_names({"DNS:a.example"})};
  EXPECT_TRUE(plan());
}

TEST_F(ProfileTest, WritesAFixedExtensionWhateverIsAskedFor) {
  ExtensionField field{"1.2.3.4", "mine", {}};
  field.rule = {ExtensionRule::Kind::fixed, "0c0178", false};
  settings.extensions.fields.push_back(field);
  const Extension fixed{Oid("1.2.3.4"), false, {0x0c, 0x01, 'x'}};
  EXPECT_EQ(*find(plan()->extensions, fixed.extnID), fixed);
  EXPECT_THAT(plan()->changes, IsEmpty());
  wish.extensions = {unknown_extension(true)};
  EXPECT_EQ(*find(plan()->extensions, fixed.extnID), fixed);
  EXPECT_THAT(plan()->changes, ElementsAre(HasSubstr("the profile's value")));
}

TEST_F(ProfileTest, WritesPoliciesAndPlacesOfTheProfile) {
  settings.policies = {"1.2.3"};
  settings.crl_urls = {"http://a.example/x.crl"};
  settings.issuer_urls = {"http://a.example/ca.cer"};
  settings.ocsp_urls = {"http://a.example/ocsp"};
  const auto granted = plan();
  ASSERT_TRUE(granted) << granted.error().text;
  EXPECT_EQ(find(granted->extensions, oid::id_ce_certificatePolicies)->extnValue,
            from_hex("3006300406022a03").value());
  EXPECT_EQ(*find(granted->extensions, oid::id_ce_cRLDistributionPoints),
            crl_distribution_point_extension("http://a.example/x.crl"));
  EXPECT_NE(find(granted->extensions, oid::id_pe_authorityInfoAccess), nullptr);
}

TEST_F(ProfileTest, WritesItsOwnSubjectKeyIdentifier) {
  const Bytes identifier = device_key().public_key().key_identifier();
  wish.extensions = {subject_key_identifier_extension(identifier)};
  EXPECT_THAT(plan()->changes, IsEmpty());
  wish.extensions = {subject_key_identifier_extension(Bytes(20, 1))};
  EXPECT_EQ(*find(plan()->extensions, oid::id_ce_subjectKeyIdentifier),
            subject_key_identifier_extension(identifier));
  EXPECT_THAT(plan()->changes, ElementsAre(HasSubstr("subjectKeyIdentifier")));
}

TEST_F(ProfileTest, RefusesMalformedValues) {
  const std::pair<Oid, const char*> cases[] = {
      {oid::id_ce_keyUsage, "0500"},                      // NULL, not BIT STRING
      {oid::id_ce_keyUsage, "0303060040"},                // a bit behind the named ones
      {oid::id_ce_keyUsage, "030100"},                    // no bit
      {oid::id_ce_keyUsage, "03020780ff"},                // octets behind it
      {oid::id_ce_extKeyUsage, "3000"},                   // no purpose
      {oid::id_ce_extKeyUsage, "300206"},                 // cut off
      {oid::id_ce_basicConstraints, "30030101"},          // cut off
      {oid::id_ce_basicConstraints, "3003020100"},        // pathLenConstraint without cA
      {oid::id_ce_basicConstraints, "30060101ff0201ff"},  // negative pathLenConstraint
      {oid::id_ce_basicConstraints, "3003010101"},        // BOOLEAN 01
      {oid::id_ce_subjectAltName, "3000"},                // no name
      {oid::id_ce_subjectAltName, "30038703010203"},      // address of three octets
      {oid::id_ce_subjectKeyIdentifier, "3000"},          //
      {Oid("1.2.3.4"), "050000"},                         // two elements
      {Oid("1.2.3.4"), ""},                               //
  };
  settings.extensions.other = ExtensionRule::Kind::copy;
  for (const auto& [id, hex] : cases) {
    wish.extensions = {{id, false, from_hex(hex).value()}};
    EXPECT_THAT(plan(), Refuses(Reason::extension, HasSubstr("malformed"))) << id.name() << hex;
  }
}

TEST_F(ProfileTest, RefusesTheSameExtensionTwice) {
  wish.extensions = {key_usage_extension({KeyUsageBit::digitalSignature}),
                     key_usage_extension({KeyUsageBit::digitalSignature})};
  EXPECT_THAT(plan(), Refuses(Reason::extension, HasSubstr("keyUsage appears twice")));
}

}  // namespace
}  // namespace cmpost
