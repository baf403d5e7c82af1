// Who decides each attribute of the subject.
#include "tests/ca/profile_fixture.h"

namespace cmpost {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Reason = Refusal::Reason;

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

}  // namespace
}  // namespace cmpost
