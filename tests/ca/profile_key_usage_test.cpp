// keyUsage, extendedKeyUsage, and rights of a CA.
#include "tests/ca/profile_fixture.h"

namespace cmpost {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Reason = Refusal::Reason;

// Slow to make, so made once.
const PrivateKey& rsa_key() {
  static const PrivateKey key = new_key("rsa:2048");
  return key;
}

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

}  // namespace
}  // namespace cmpost
