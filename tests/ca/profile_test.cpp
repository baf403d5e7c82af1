#include "ca/profile.h"

#include <gmock/gmock.h>

#include "tests/ca/ca_fixture.h"

namespace cmpost {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Reason = Refusal::Reason;

// Slow to make, so made once.
const PrivateKey& rsa_key() {
  static const PrivateKey key = new_key("rsa:2048");
  return key;
}

class ProfileTest : public ::testing::Test {
 protected:
  Allowed<CertificatePlan> plan() const {
    return Profile::create(settings).value().plan(wish, now, latest);
  }

  void set_field(const std::string& field, const std::string& oid, FieldRule::Kind kind,
                 const std::string& value = {}) {
    settings.subject.fields.push_back({oid, field, {kind, value}});
  }

  ProfileSettings settings = device_profile();
  Time now = from_iso8601("2026-06-01T12:00:00Z").value();
  Time latest = now + 24h * 3650;
  CertificateWish wish{name("CN=dev1,O=Grid"), device_key().public_key(), {}, {}, {}};
};

MATCHER_P2(Refuses, reason, text, "") {
  if (arg) {
    *result_listener << "is granted";
    return false;
  }
  *result_listener << "\"" << arg.error().text << "\"";
  return arg.error().reason == reason &&
         ::testing::ExplainMatchResult(text, arg.error().text, result_listener);
}

// --- key ---

TEST_F(ProfileTest, GrantsAnAllowedKeyAsAskedFor) {
  const auto granted = plan();
  ASSERT_TRUE(granted) << granted.error().text;
  EXPECT_TRUE(equal(granted->subjectPublicKeyInfo, device_key().public_key().spki()));
  EXPECT_EQ(granted->subject, wish.subject);
  EXPECT_THAT(granted->changes, IsEmpty());
}

TEST_F(ProfileTest, RefusesAnRsaKeyThatIsTooSmallAndSaysWhatItTakes) {
  wish.key = rsa_key().public_key();
  settings.keys = {{KeyRule::Kind::rsa, "", 3072, 4096}};
  EXPECT_THAT(plan(), Refuses(Reason::key,
                              "RSA 2048 is smaller than the 3072 that profile device asks for"));
}

TEST_F(ProfileTest, RefusesAnRsaKeyThatIsTooLarge) {
  wish.key = rsa_key().public_key();
  settings.keys = {{KeyRule::Kind::rsa, "", 1024, 1024}};
  EXPECT_THAT(plan(),
              Refuses(Reason::key, "RSA 2048 is larger than the 1024 that profile device allows"));
}

TEST_F(ProfileTest, RefusesAnRsaSizeBetweenTwoRules) {
  wish.key = rsa_key().public_key();
  settings.keys = {{KeyRule::Kind::rsa, "", 1024, 1024}, {KeyRule::Kind::rsa, "", 4096, 4096}};
  EXPECT_THAT(plan(), Refuses(Reason::key, HasSubstr("rsa:1024, rsa:4096")));
}

TEST_F(ProfileTest, RefusesACurveThatIsNotListed) {
  wish.key = new_key("ec:P-521").public_key();
  EXPECT_THAT(plan(), Refuses(Reason::key, AllOf(HasSubstr("ec:P-521"), HasSubstr("ec:P-256"),
                                                 HasSubstr("device"))));
}

TEST_F(ProfileTest, RefusesATypeOfKeyThatIsNotListed) {
  wish.key = new_key("ed448").public_key();
  EXPECT_THAT(plan(), Refuses(Reason::key, HasSubstr("ed448")));
  wish.key = rsa_key().public_key();
  settings.keys = {{KeyRule::Kind::ec, "P-256", 0, 0}};
  EXPECT_THAT(plan(), Refuses(Reason::key, HasSubstr("rsa:2048")));
}

// --- subject ---

TEST_F(ProfileTest, KeepsTheOrderAndOctetsOfTheSubject) {
  wish.subject = name("OU=a,CN=b,O=c,CN=d");
  EXPECT_EQ(plan()->subject, wish.subject);
}

TEST_F(ProfileTest, RefusesControlCharactersInTheSubject) {
  for (const char* text : {"CN=good\\00.evil", "CN=a\\0aCN=b", "CN=a\\7f"}) {
    wish.subject = name(text);
    EXPECT_THAT(plan(), Refuses(Reason::subject, HasSubstr("control characters"))) << text;
  }
}

TEST_F(ProfileTest, RefusesADeniedAttribute) {
  set_field("OU", "2.5.4.11", FieldRule::Kind::deny);
  EXPECT_TRUE(plan());
  wish.subject = name("CN=dev1,OU=x");
  EXPECT_THAT(plan(), Refuses(Reason::subject, HasSubstr("allows no OU")));
}

TEST_F(ProfileTest, RefusesAttributesThatAreNotListedWhenOtherIsDenied) {
  set_field("CN", "2.5.4.3", FieldRule::Kind::copy);
  settings.subject.other = FieldRule::Kind::deny;
  EXPECT_THAT(plan(), Refuses(Reason::subject, HasSubstr("organizationName")));
  wish.subject = name("CN=dev1");
  EXPECT_TRUE(plan());
}

TEST_F(ProfileTest, RefusesASubjectWithoutARequiredAttribute) {
  set_field("serialNumber", "2.5.4.5", FieldRule::Kind::require);
  EXPECT_THAT(plan(), Refuses(Reason::subject, HasSubstr("no serialNumber")));
  wish.subject = name("CN=dev1,serialNumber=7");
  EXPECT_TRUE(plan());
}

TEST_F(ProfileTest, PutsAFixedAttributeInFrontAndSaysSo) {
  set_field("C", "2.5.4.6", FieldRule::Kind::fixed, "DE");
  set_field("O", "2.5.4.10", FieldRule::Kind::fixed, "A, B + \"C\" \\ #1 \xc3\xa4");
  wish.subject = name("CN=dev1");
  const auto granted = plan();
  ASSERT_TRUE(granted) << granted.error().text;
  const auto attributes = granted->subject.attributes();
  ASSERT_EQ(attributes.size(), 3u);
  EXPECT_EQ(attributes[0].value, "DE");
  EXPECT_EQ(attributes[1].value, "A, B + \"C\" \\ #1 \xc3\xa4");
  EXPECT_EQ(attributes[2].value, "dev1");
  EXPECT_THAT(granted->changes, ElementsAre(HasSubstr("C = \"DE\""), HasSubstr("O = ")));
}

TEST_F(ProfileTest, TakesAFixedAttributeThatIsAskedForWithItsValue) {
  set_field("O", "2.5.4.10", FieldRule::Kind::fixed, "Grid");
  const auto granted = plan();
  ASSERT_TRUE(granted) << granted.error().text;
  EXPECT_EQ(granted->subject, wish.subject);
  EXPECT_THAT(granted->changes, IsEmpty());
}

TEST_F(ProfileTest, RefusesAFixedAttributeWithAnotherValueEvenBesideTheRightOne) {
  set_field("O", "2.5.4.10", FieldRule::Kind::fixed, "Grid");
  wish.subject = name("CN=dev1,O=Evil");
  EXPECT_THAT(plan(), Refuses(Reason::subject, AllOf(HasSubstr("Evil"), HasSubstr("Grid"))));
  wish.subject = name("CN=dev1,O=Evil,O=Grid");
  EXPECT_THAT(plan(), Refuses(Reason::subject, HasSubstr("Evil")));
}

TEST_F(ProfileTest, SetsAnAttributeWhateverIsAskedForAndSaysSo) {
  set_field("O", "2.5.4.10", FieldRule::Kind::set, "Plant");
  auto granted = plan();
  ASSERT_TRUE(granted) << granted.error().text;
  EXPECT_EQ(granted->subject.text(), "CN=dev1,O=Plant");
  EXPECT_THAT(granted->changes, ElementsAre(HasSubstr("O = \"Plant\" instead of")));
  wish.subject = name("CN=dev1");
  granted = plan();
  EXPECT_EQ(granted->subject.text(), "CN=dev1,O=Plant");
  EXPECT_THAT(granted->changes, ElementsAre(HasSubstr("O = \"Plant\" added")));
  wish.subject = name("CN=dev1,O=Plant");
  EXPECT_THAT(plan()->changes, IsEmpty());
  wish.subject = name("CN=dev1,O=Plant,O=Evil");
  EXPECT_EQ(plan()->subject.text(), "CN=dev1,O=Plant");
}

TEST_F(ProfileTest, DropsAttributesThatItDoesNotWant) {
  set_field("O", "2.5.4.10", FieldRule::Kind::drop);
  auto granted = plan();
  EXPECT_EQ(granted->subject.text(), "CN=dev1");
  EXPECT_THAT(granted->changes, ElementsAre("subject: O left out"));
  settings.subject.fields.clear();
  set_field("CN", "2.5.4.3", FieldRule::Kind::copy);
  settings.subject.other = FieldRule::Kind::drop;
  granted = plan();
  EXPECT_EQ(granted->subject.text(), "CN=dev1");
  EXPECT_THAT(granted->changes, ElementsAre(HasSubstr("left out")));
}

TEST_F(ProfileTest, KeepsWhatStandsBesideAReplacedAttributeInOneRdn) {
  set_field("O", "2.5.4.10", FieldRule::Kind::set, "Plant");
  wish.subject = name("CN=dev1+O=Grid,L=Bonn");
  const auto granted = plan();
  ASSERT_TRUE(granted) << granted.error().text;
  EXPECT_EQ(granted->subject.first(oid::id_at_commonName), "dev1");
  EXPECT_EQ(granted->subject.first(oid::id_at_organizationName), "Plant");
  EXPECT_EQ(granted->subject.first(oid::id_at_localityName), "Bonn");
}

TEST_F(ProfileTest, DerivesAttributesFromTheRequest) {
  set_field("CN", "2.5.4.3", FieldRule::Kind::derive, "{serialNumber}-{key}");
  wish.subject = name("CN=anything,serialNumber=77");
  const auto granted = plan();
  ASSERT_TRUE(granted) << granted.error().text;
  const auto digits = to_hex(wish.key.key_identifier()).substr(0, 16);
  EXPECT_EQ(granted->subject.first(oid::id_at_commonName), "77-" + digits);
  wish.subject = name("CN=anything");
  EXPECT_THAT(plan(), Refuses(Reason::subject, HasSubstr("no serialNumber")));
}

TEST_F(ProfileTest, DerivesAlternativeNamesFromTheRequest) {
  settings.extensions.fields = {{"2.5.29.17",
                                 "subjectAltName",
                                 {.kind = ExtensionRule::Kind::derive,
                                  .der_hex = {},
                                  .names = {"DNS:{CN}.grid.example", "email:{CN}@grid.example"}}}};
  const auto granted = plan();
  ASSERT_TRUE(granted) << granted.error().text;
  const auto wanted =
      subject_alt_name_extension({GeneralName::from_text("DNS:dev1.grid.example").value(),
                                  GeneralName::from_text("email:dev1@grid.example").value()},
                                 false);
  EXPECT_EQ(*find(granted->extensions, oid::id_ce_subjectAltName), wanted);
  EXPECT_THAT(granted->changes, ElementsAre(HasSubstr("DNS:dev1.grid.example")));
  wish.extensions = {wanted};
  EXPECT_THAT(plan()->changes, IsEmpty());
  wish.subject = name("O=Grid");
  EXPECT_THAT(plan(), Refuses(Reason::subject, HasSubstr("no CN")));
}

TEST_F(ProfileTest, GivesAnExtensionItsDefaultWhenItIsNotAskedFor) {
  ExtensionField field{"1.2.3.4", "1.2.3.4", {}};
  field.rule = {ExtensionRule::Kind::default_, "0c0178", false};
  settings.extensions.fields.push_back(field);
  EXPECT_EQ(find(plan()->extensions, Oid("1.2.3.4"))->extnValue, (Bytes{0x0c, 0x01, 'x'}));
  wish.extensions = {{Oid("1.2.3.4"), false, {0x0c, 0x01, 'y'}}};
  EXPECT_EQ(find(plan()->extensions, Oid("1.2.3.4"))->extnValue, (Bytes{0x0c, 0x01, 'y'}));
  EXPECT_THAT(plan()->changes, IsEmpty());
}

TEST_F(ProfileTest, AddsADefaultAttributeOnlyWhenItIsMissing) {
  set_field("O", "2.5.4.10", FieldRule::Kind::default_, "Plant");
  EXPECT_EQ(plan()->subject, wish.subject);
  wish.subject = name("CN=dev1");
  EXPECT_EQ(plan()->subject, name("CN=dev1,O=Plant"));
}

// --- subjectAltName and the empty subject ---

Extension alt_names(const std::vector<std::string>& names, bool critical = false) {
  std::vector<GeneralName> list;
  for (const auto& text : names) list.push_back(GeneralName::from_text(text).value());
  return subject_alt_name_extension(list, critical);
}

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
  EXPECT_THAT(plan(), Refuses(Reason::extension, HasSubstr("makes no sense")));
}

// --- keyUsage and extendedKeyUsage ---

class KeyUsageTest : public ProfileTest {
 protected:
  using enum KeyUsageBit;
  KeyUsageTest() { settings.key_usage = {0, 4}; }

  void rule(const std::string& oid, ExtensionRule::Kind kind) {
    ExtensionField field{oid, oid, {}};
    field.rule.kind = kind;
    settings.extensions.fields.push_back(field);
  }
  Extension granted_usage() const { return *find(plan()->extensions, oid::id_ce_keyUsage); }

  static constexpr const char* kKeyUsage = "2.5.29.15";
  static constexpr const char* kPurposes = "2.5.29.37";
};

TEST_F(KeyUsageTest, IsTheProfilesWhenNotAskedFor) {
  EXPECT_EQ(granted_usage(), key_usage_extension({digitalSignature, keyAgreement}));
  EXPECT_THAT(plan()->changes, IsEmpty());
}

TEST_F(KeyUsageTest, IsAsAskedForWithinTheProfile) {
  rule(kKeyUsage, ExtensionRule::Kind::copy);
  wish.extensions = {key_usage_extension({digitalSignature})};
  EXPECT_EQ(granted_usage(), key_usage_extension({digitalSignature}));
  EXPECT_THAT(plan()->changes, IsEmpty());
}

TEST_F(KeyUsageTest, IsReducedToTheProfile) {
  rule(kKeyUsage, ExtensionRule::Kind::copy);
  wish.extensions = {key_usage_extension({digitalSignature, nonRepudiation})};
  EXPECT_EQ(granted_usage(), key_usage_extension({digitalSignature}));
  EXPECT_THAT(plan()->changes, ElementsAre("keyUsage: digitalSignature, nonRepudiation asked for, "
                                           "digitalSignature granted"));
}

TEST_F(KeyUsageTest, IsRefusedWhenNothingOfItIsAllowed) {
  rule(kKeyUsage, ExtensionRule::Kind::copy);
  wish.extensions = {key_usage_extension({nonRepudiation})};
  EXPECT_THAT(plan(), Refuses(Reason::extension, HasSubstr("nonRepudiation")));
}

TEST_F(KeyUsageTest, IsTheProfilesWhenTheRuleIsIgnore) {
  wish.extensions = {key_usage_extension({digitalSignature})};
  EXPECT_EQ(granted_usage(), key_usage_extension({digitalSignature, keyAgreement}));
  EXPECT_THAT(plan()->changes, ElementsAre(HasSubstr("keyUsage: the profile's value")));
}

TEST_F(KeyUsageTest, NeverSaysWhatTheKeyCannotDo) {
  settings.key_usage = {0, 2, 4};
  EXPECT_EQ(granted_usage(), key_usage_extension({digitalSignature, keyAgreement}));
  wish.key = rsa_key().public_key();
  EXPECT_EQ(granted_usage(), key_usage_extension({digitalSignature, keyEncipherment}));
  wish.key = new_key("ed25519").public_key();
  EXPECT_EQ(granted_usage(), key_usage_extension({digitalSignature}));
  settings.key_usage = {2};
  EXPECT_THAT(plan(), Refuses(Reason::key, HasSubstr("keyEncipherment")));
}

TEST_F(KeyUsageTest, OfExtendedKindIsCopiedReducedOrRefused) {
  rule(kPurposes, ExtensionRule::Kind::copy);
  settings.extended_key_usage = {oid::id_kp_clientAuth.dotted(), oid::id_kp_serverAuth.dotted()};
  const auto granted = [&] { return *find(plan()->extensions, oid::id_ce_extKeyUsage); };
  EXPECT_EQ(granted(),
            extended_key_usage_extension({oid::id_kp_clientAuth, oid::id_kp_serverAuth}));

  wish.extensions = {extended_key_usage_extension({oid::id_kp_serverAuth}, true)};
  EXPECT_EQ(granted(), wish.extensions[0]);
  EXPECT_THAT(plan()->changes, IsEmpty());

  wish.extensions = {extended_key_usage_extension({oid::id_kp_codeSigning, oid::id_kp_serverAuth})};
  EXPECT_EQ(granted(), extended_key_usage_extension({oid::id_kp_serverAuth}));
  EXPECT_THAT(plan()->changes, ElementsAre("extendedKeyUsage: codeSigning, serverAuth asked for, "
                                           "serverAuth granted"));

  wish.extensions = {extended_key_usage_extension({oid::id_kp_codeSigning})};
  EXPECT_THAT(plan(), Refuses(Reason::extension, HasSubstr("codeSigning")));
}

// --- CA rights (R-095, R-096) ---

TEST_F(KeyUsageTest, OfACaIsRefusedWhateverTheRuleSays) {
  for (const auto kind : {ExtensionRule::Kind::ignore, ExtensionRule::Kind::copy}) {
    settings.extensions.fields.clear();
    rule(kKeyUsage, kind);
    wish.extensions = {key_usage_extension({digitalSignature, keyCertSign})};
    EXPECT_THAT(plan(), Refuses(Reason::ca_certificate, HasSubstr("keyCertSign")));
  }
  wish.extensions = {basic_constraints_extension(true, {})};
  EXPECT_THAT(plan(), Refuses(Reason::ca_certificate, HasSubstr("basicConstraints")));
  wish.extensions = {basic_constraints_extension(true, 3), key_usage_extension({keyCertSign})};
  EXPECT_THAT(plan(), Refuses(Reason::ca_certificate, HasSubstr("basicConstraints")));
}

TEST_F(KeyUsageTest, OfAPkiRoleIsRefusedUnlessTheProfileListsIt) {
  rule(kPurposes, ExtensionRule::Kind::copy);
  for (const Oid& role : {oid::id_kp_cmcCA, oid::id_kp_cmcRA, oid::id_kp_cmKGA}) {
    settings.extended_key_usage = {oid::id_kp_clientAuth.dotted()};
    wish.extensions = {extended_key_usage_extension({oid::id_kp_clientAuth, role})};
    EXPECT_THAT(plan(), Refuses(Reason::ca_certificate, HasSubstr("extendedKeyUsage")));
    settings.extended_key_usage.push_back(role.dotted());
    EXPECT_TRUE(plan()) << role.name();
  }
}

TEST_F(ProfileTest, LetsAnEndEntitySayThatItIsNoCa) {
  wish.extensions = {basic_constraints_extension(false, {})};
  const auto granted = plan();
  ASSERT_TRUE(granted) << granted.error().text;
  EXPECT_EQ(*find(granted->extensions, oid::id_ce_basicConstraints), wish.extensions[0]);
  EXPECT_THAT(granted->changes, IsEmpty());
}

TEST_F(KeyUsageTest, OfACaProfileKeepsKeyCertSignAndThePathLengthOfTheProfile) {
  settings.ca = true;
  settings.path_length = 0;
  settings.key_usage = {5, 6};
  rule(kKeyUsage, ExtensionRule::Kind::copy);
  wish.extensions = {basic_constraints_extension(true, 4), key_usage_extension({cRLSign})};
  const auto granted = plan();
  ASSERT_TRUE(granted) << granted.error().text;
  EXPECT_EQ(*find(granted->extensions, oid::id_ce_basicConstraints),
            basic_constraints_extension(true, 0));
  EXPECT_EQ(*find(granted->extensions, oid::id_ce_keyUsage),
            key_usage_extension({keyCertSign, cRLSign}));
  EXPECT_THAT(granted->changes, ElementsAre(HasSubstr("basicConstraints"), HasSubstr("keyUsage")));
  wish.subject = Name();
  EXPECT_THAT(plan(), Refuses(Reason::subject, HasSubstr("needs a subject")));
}

// --- other extensions ---

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

// --- validity ---

TEST_F(ProfileTest, BeginsALittleEarlierAndLastsAsLongAsTheProfileSays) {
  const auto granted = plan();
  EXPECT_EQ(granted->notBefore, now - 5min);
  EXPECT_EQ(granted->notAfter, now - 5min + 24h * 398);
}

TEST_F(ProfileTest, HonoursAShorterValidity) {
  wish.not_before = now + 24h;
  wish.not_after = now + 48h;
  const auto granted = plan();
  EXPECT_EQ(granted->notBefore, now + 24h);
  EXPECT_EQ(granted->notAfter, now + 48h);
  EXPECT_THAT(granted->changes, IsEmpty());
}

TEST_F(ProfileTest, CutsWhatIsTooLongAndSaysSo) {
  wish.not_before = now - 24h;
  wish.not_after = now + 24h * 4000;
  const auto granted = plan();
  EXPECT_EQ(granted->notBefore, now - 5min);
  EXPECT_EQ(granted->notAfter, now - 5min + 24h * 398);
  EXPECT_THAT(granted->changes,
              ElementsAre(HasSubstr("notBefore: 2026-05-31T12:00:00Z"), HasSubstr("notAfter: ")));
}

TEST_F(ProfileTest, GrantsTheWholeValidityFromNow) {
  wish.not_before = now;
  wish.not_after = now + 24h * 398;
  EXPECT_THAT(plan()->changes, IsEmpty());
}

TEST_F(ProfileTest, DoesNotLetALateBeginMoveTheEnd) {
  wish.not_before = now + 24h * 300;
  EXPECT_EQ(plan()->notAfter, now + 24h * 398);
  wish.not_before = now + 24h * 400;
  EXPECT_THAT(plan(), Refuses(Reason::validity, HasSubstr("would begin")));
}

TEST_F(ProfileTest, NeverOutlastsTheCa) {
  latest = now + 24h * 10;
  EXPECT_EQ(plan()->notAfter, latest);
  EXPECT_THAT(plan()->changes, IsEmpty());
  wish.not_after = now + 24h * 20;
  EXPECT_EQ(plan()->notAfter, latest);
  EXPECT_THAT(plan()->changes, ElementsAre(HasSubstr("notAfter")));
  latest = now - 1s;
  EXPECT_THAT(plan(), Refuses(Reason::validity, HasSubstr("CA's own certificate")));
}

TEST_F(ProfileTest, RefusesAnEndThatIsPast) {
  wish.not_after = now - 1h;
  EXPECT_THAT(plan(), Refuses(Reason::validity, HasSubstr("is past")));
  wish.not_before = now + 48h;
  wish.not_after = now + 24h;
  EXPECT_THAT(plan(), Refuses(Reason::validity, HasSubstr("would begin")));
}

TEST_F(ProfileTest, CutsFractionsOfSeconds) {
  now += 123456us;
  EXPECT_EQ(plan()->notBefore, seconds_of(now) - 5min);
}

// --- settings that cannot work ---

TEST_F(ProfileTest, CannotBeMadeOfContradictions) {
  const auto fails = [](auto change) {
    ProfileSettings profile = device_profile();
    change(profile);
    return !Profile::create(profile).has_value();
  };
  const auto with_rule = [](const char* oid, const char* hex) {
    return [=](ProfileSettings& p) {
      ExtensionField field{oid, "x", {}};
      field.rule = {ExtensionRule::Kind::fixed, hex, false};
      p.extensions.fields.push_back(field);
    };
  };
  EXPECT_TRUE(fails([](ProfileSettings& p) { p.keys.clear(); }));
  EXPECT_TRUE(fails([](ProfileSettings& p) { p.validity = Duration(0); }));
  EXPECT_TRUE(fails([](ProfileSettings& p) { p.key_usage = {0, 5}; }));
  EXPECT_TRUE(fails([](ProfileSettings& p) { p.ca = true; }));
  EXPECT_TRUE(fails([](ProfileSettings& p) { p.path_length = 1; }));
  EXPECT_TRUE(fails([](ProfileSettings& p) { p.key_usage = {9}; }));
  EXPECT_TRUE(fails([](ProfileSettings& p) { p.extended_key_usage = {"serverAuth"}; }));
  EXPECT_TRUE(fails([](ProfileSettings& p) {
    p.subject.fields.push_back({"2.5.4.6", "C", {FieldRule::Kind::fixed, ""}});
  }));
  EXPECT_TRUE(fails(with_rule("2.5.29.19", "3000")));
  EXPECT_TRUE(fails(with_rule("2.5.29.14", "0400")));
  EXPECT_TRUE(fails(with_rule("2.5.29.15", "0500")));
  EXPECT_TRUE(fails(with_rule("2.5.29.15", "03020204")));  // keyCertSign
  EXPECT_FALSE(fails(with_rule("2.5.29.15", "03020780")));
}

}  // namespace
}  // namespace cmpost
