// Keys, validity, and settings that cannot work.
#include "tests/ca/profile_fixture.h"

namespace cmpost {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Reason = Refusal::Reason;

// Slow to make, so made once.
const PrivateKey& some_rsa_key() {
  static const PrivateKey key = new_key("rsa:2048");
  return key;
}

TEST_F(ProfileTest, GrantsAnAllowedKeyAsAskedFor) {
  const auto granted = plan();
  ASSERT_TRUE(granted) << granted.error().text;
  EXPECT_TRUE(equal(granted->subjectPublicKeyInfo, device_key().public_key().spki()));
  EXPECT_EQ(granted->subject, wish.subject);
  EXPECT_THAT(granted->changes, IsEmpty());
}

TEST_F(ProfileTest, RefusesAnRsaKeyThatIsTooSmallAndSaysWhatItTakes) {
  wish.key = some_rsa_key().public_key();
  settings.keys = {{KeyRule::Kind::rsa, "", 3072, 4096}};
  EXPECT_THAT(plan(), Refuses(Reason::key,
                              "RSA 2048 is smaller than the 3072 that profile device asks for"));
}

TEST_F(ProfileTest, RefusesAnRsaKeyThatIsTooLarge) {
  wish.key = some_rsa_key().public_key();
  settings.keys = {{KeyRule::Kind::rsa, "", 1024, 1024}};
  EXPECT_THAT(plan(),
              Refuses(Reason::key, "RSA 2048 is larger than the 1024 that profile device allows"));
}

TEST_F(ProfileTest, RefusesAnRsaSizeBetweenTwoRules) {
  wish.key = some_rsa_key().public_key();
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
  wish.key = some_rsa_key().public_key();
  settings.keys = {{KeyRule::Kind::ec, "P-256", 0, 0}};
  EXPECT_THAT(plan(), Refuses(Reason::key, HasSubstr("rsa:2048")));
}

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
