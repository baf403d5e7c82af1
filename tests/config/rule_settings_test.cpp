#include "config/rule_settings.h"

#include "tests/config/settings_file.h"

namespace cmpost {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Loaded with_rule(const std::string& keys) {
  return with_more("[[rule]]\nname = \"first\"\n" + keys);
}

TEST(RuleSettings, AreReadWithAllTheirConditions) {
  const auto loaded = with_more(
      "[[vendor]]\nname = \"acme\"\nroots = [\"acme.pem\"]\n"
      "[[rule]]\nname = \"listed\"\nverdict = \"approve\"\nlimit = \"200 a day\"\n"
      "when = { body = [\"ir\", \"cr\"], device = \"listed\", vendor = [\"acme\"], "
      "active_certificates = \"< 2\", validity = \"<= 400d\", channel = \"drop\", "
      "key_type = [\"ec\", \"rsa:3072\"], revoked = false }\n");
  ASSERT_TRUE(loaded) << ::testing::PrintToString(complaints(loaded));
  const auto& rule = loaded->rules.at(0);
  EXPECT_EQ(rule.verdict, RuleVerdict::approve);
  EXPECT_EQ(rule.limit, 200);
  EXPECT_EQ(in_words(*rule.condition(RuleField::body)), "ir or cr");
  EXPECT_EQ(in_words(*rule.condition(RuleField::active_certificates)), "< 2");
  EXPECT_EQ(in_words(*rule.condition(RuleField::validity)), "<= 400d");
  EXPECT_EQ(in_words(*rule.condition(RuleField::revoked)), "false");
  EXPECT_EQ(rule.condition(RuleField::site), nullptr);
}

TEST(RuleSettings, TheSameRuleHasTheSameText) {
  const auto text = [](const std::string& keys) {
    const auto loaded = with_rule(keys);
    return loaded ? loaded->rules.at(0).text() : complaints(loaded).at(0);
  };
  const std::string usual = "verdict = \"one\"\nwhen = { body = \"ir\", site = [\"a\", \"b\"] }\n";
  EXPECT_EQ(text(usual),
            text("when = { site = [\"a\", \"b\"], body = [\"ir\"] }\nverdict = \"one\"\n"));
  EXPECT_NE(text(usual),
            text("verdict = \"one\"\nwhen = { body = \"ir\", site = [\"a\\\" \\\"b\"] }\n"));
  EXPECT_NE(text(usual),
            text("verdict = \"two\"\nwhen = { body = \"ir\", site = [\"a\", \"b\"] }\n"));
}

TEST(RuleSettings, AreAboutCertificatesUnlessTheySayOtherwise) {
  const auto loaded = with_more(
      "[[rule]]\nname = \"rr\"\nverdict = \"one\"\nwhen = { body = \"rr\" }\n"
      "[[rule]]\nname = \"rest\"\nverdict = \"one\"\n");
  ASSERT_TRUE(loaded) << ::testing::PrintToString(complaints(loaded));
  EXPECT_TRUE(loaded->rules[0].is_about("rr"));
  EXPECT_FALSE(loaded->rules[0].is_about("ir"));
  for (const auto* body : {"ir", "cr", "p10cr", "kur"}) {
    EXPECT_TRUE(loaded->rules[1].is_about(body)) << body;
  }
  for (const auto* body : {"rr", "krr", "ccr", "genm"}) {
    EXPECT_FALSE(loaded->rules[1].is_about(body)) << body;
  }
}

TEST(RuleSettings, WhatPeopleDecideNoRuleDoes) {
  for (const auto* body : {"krr", "ccr"}) {
    EXPECT_THAT(
        with_rule("verdict = \"approve\"\nwhen = { body = \"" + std::string(body) + "\" }\n"),
        ComplainsOnce(HasSubstr("never decided by a rule")));
  }
}

TEST(RuleSettings, AWrongWordIsAMistake) {
  for (const auto& [keys, what] : std::vector<std::pair<const char*, const char*>>{
           {"verdict = \"aprove\"\n", "did you mean 'approve'"},
           {"", "verdict"},
           {"verdict = \"one\"\nwhen = { bdy = \"ir\" }\n", "did you mean 'body'"},
           {"verdict = \"one\"\nwhen = { subject = \"same\" }\n", "not a value of 'subject'"},
           {"verdict = \"one\"\nwhen = { key_type = \"rsa:big\" }\n", "not a value of 'key_type'"},
           {"verdict = \"one\"\nwhen = { active_certificates = \"few\" }\n", "\"< 2\""},
           {"verdict = \"one\"\nwhen = { validity = \"< soon\" }\n", "\"<= 400d\""},
           {"verdict = \"one\"\nwhen = { revoked = \"no\" }\n", "revoked"},
           {"verdict = \"one\"\nwhen = { body = [] }\n", "empty list"},
           {"verdict = \"approve\"\nlimit = \"many\"\n", "\"200 a day\""},
           {"verdict = \"approve\"\nlimit = \"0 a day\"\n", "approves nothing"},
           {"verdict = \"one\"\nlimit = \"5 a day\"\n", "approves nothing"},
           {"verdict = \"approve\"\nreason = \"because\"\n", "refuses nobody"}}) {
    EXPECT_THAT(with_rule(keys), ComplainsOnce(HasSubstr(what))) << keys;
  }
}

TEST(RuleSettings, NamesThatNothingHasAreAMistake) {
  for (const auto* key : {"channel", "profile", "vendor"}) {
    EXPECT_THAT(with_rule("verdict = \"one\"\nwhen = { " + std::string(key) + " = \"nobody\" }\n"),
                ComplainsOnce(HasSubstr("'nobody'")));
  }
}

TEST(RuleSettings, WhatCanNeverMatchIsAMistake) {
  for (const auto* when :
       {"body = \"kur\", requester = \"secret\"", "requester = \"secret\", subject = \"unchanged\"",
        "device = \"unlisted\", site = \"north\"", "body = \"rr\", profile = \"device\"",
        "active_certificates = \"< 0\""}) {
    EXPECT_THAT(with_rule("verdict = \"one\"\nwhen = { " + std::string(when) + " }\n"),
                ComplainsOnce(HasSubstr("can never match")))
        << when;
  }
}

TEST(RuleSettings, WhatIsNeverReachedIsAMistake) {
  const auto two = [](const std::string& first, const std::string& second) {
    return with_more("[[rule]]\nname = \"first\"\nverdict = \"one\"\nwhen = {" + first +
                     "}\n[[rule]]\nname = \"second\"\nverdict = \"two\"\nwhen = {" + second +
                     "}\n");
  };
  EXPECT_THAT(two("", "body = \"kur\""), ComplainsOnce(HasSubstr("never reached")));
  EXPECT_THAT(two("body = [\"ir\", \"kur\"]", "body = \"kur\", site = \"a\""),
              ComplainsOnce(HasSubstr("never reached")));
  EXPECT_TRUE(two("", "body = \"rr\""));
  EXPECT_TRUE(two("site = \"a\"", "site = [\"a\", \"b\"]"));
  EXPECT_TRUE(two("body = \"kur\", site = \"a\"", "body = \"kur\""));
}

TEST(RuleSettings, TwoOfOneNameAreAMistake) {
  EXPECT_THAT(with_more("[[rule]]\nname = \"a\"\nverdict = \"one\"\nwhen = { site = \"a\" }\n"
                        "[[rule]]\nname = \"a\"\nverdict = \"two\"\n"),
              ComplainsOnce(HasSubstr("two [[rule]]")));
}

}  // namespace
}  // namespace cmpost
