#include "processor/rules/evaluation.h"

#include <gmock/gmock.h>

namespace cmpost {
namespace {

using ::testing::SizeIs;

RuleCondition is(RuleField field, std::vector<std::string> words) {
  return {field, std::move(words)};
}

RuleSettings rule(std::string name, std::vector<RuleCondition> when,
                  RuleVerdict verdict = RuleVerdict::approve) {
  RuleSettings rule;
  rule.name = std::move(name);
  rule.when = std::move(when);
  rule.verdict = verdict;
  return rule;
}

RuleFacts facts(std::string body = "ir") {
  RuleFacts facts;
  facts.set(RuleField::body, std::move(body));
  return facts;
}

std::string decided(const std::vector<RuleSettings>& rules, const RuleFacts& facts) {
  const auto evaluation = evaluate(rules, facts);
  if (evaluation.decides == nullptr) return "nobody";
  return evaluation.decides->name + (evaluation.unclear ? "?" : "");
}

TEST(Evaluation, TheFirstThatFitsDecides) {
  const std::vector rules = {rule("kur", {is(RuleField::body, {"kur"})}),
                             rule("north", {is(RuleField::site, {"north"})}), rule("rest", {})};
  auto known = facts("ir");
  known.set(RuleField::site, std::string("north"));
  EXPECT_EQ(decided(rules, known), "north");
  known.set(RuleField::site, std::string("south"));
  EXPECT_EQ(decided(rules, known), "rest");
  EXPECT_EQ(decided(rules, facts("kur")), "kur");
  EXPECT_EQ(decided(rules, facts("rr")), "nobody");
}

TEST(Evaluation, AllConditionsHaveToFit) {
  const std::vector rules = {
      rule("both", {is(RuleField::site, {"north"}), is(RuleField::vendor, {"acme"})})};
  auto known = facts();
  known.set(RuleField::site, std::string("north"));
  EXPECT_EQ(decided(rules, known), "nobody");
  known.set(RuleField::vendor, std::string("acme"));
  EXPECT_EQ(decided(rules, known), "both");
}

// A later rule that approves must not be reached past one that may have been about this.
TEST(Evaluation, WhatIsNotKnownIsNotNo) {
  const std::vector rules = {rule("bad", {is(RuleField::site, {"north"})}, RuleVerdict::reject),
                             rule("rest", {})};
  auto known = facts();
  known.set(RuleField::site, UnknownFact{"nobody has looked"});
  EXPECT_EQ(decided(rules, known), "bad?");
  // What is excluded by something else is excluded.
  const std::vector narrow = {
      rule("bad", {is(RuleField::body, {"kur"}), is(RuleField::site, {"north"})}),
      rule("rest", {})};
  EXPECT_EQ(decided(narrow, known), "rest");
}

TEST(Evaluation, WhatThereIsNotFitsNothing) {
  EXPECT_EQ(decided({rule("old", {is(RuleField::subject, {"unchanged", "changed"})})}, facts()),
            "nobody");
  EXPECT_EQ(decided({rule("old", {{RuleField::revoked, false}})}, facts()), "nobody");
}

TEST(Evaluation, BoundsAndFamilies) {
  using Sign = RuleBound::Sign;
  auto known = facts();
  known.set(RuleField::active_certificates, std::int64_t{2});
  known.set(RuleField::key_type, std::string("rsa:3072"));
  const auto active = [&](Sign sign, std::int64_t number) {
    return decided({rule("r", {{RuleField::active_certificates, RuleBound{sign, number}}})},
                   known) == "r";
  };
  EXPECT_FALSE(active(Sign::less, 2));
  EXPECT_TRUE(active(Sign::less, 3));
  EXPECT_TRUE(active(Sign::at_most, 2));
  EXPECT_TRUE(active(Sign::equal, 2));
  EXPECT_TRUE(active(Sign::at_least, 2));
  EXPECT_FALSE(active(Sign::more, 2));
  EXPECT_EQ(decided({rule("r", {is(RuleField::key_type, {"rsa"})})}, known), "r");
  EXPECT_EQ(decided({rule("r", {is(RuleField::key_type, {"rsa:2048", "ec"})})}, known), "nobody");
}

TEST(Evaluation, EachRuleSaysWhatItSaw) {
  const std::vector rules = {
      rule("a", {is(RuleField::site, {"north"}), is(RuleField::body, {"ir"})}), rule("b", {})};
  const auto seen = evaluate(rules, facts()).seen;
  ASSERT_THAT(seen, SizeIs(2));
  ASSERT_THAT(seen[0].conditions, SizeIs(2));
  EXPECT_EQ(seen[0].conditions[0].saw, "none");
  EXPECT_EQ(seen[0].conditions[0].match, RuleMatch::no);
  EXPECT_EQ(seen[0].conditions[1].saw, "ir");
  EXPECT_EQ(seen[0].conditions[1].match, RuleMatch::yes);
  EXPECT_EQ(seen[1].match, RuleMatch::yes);
}

}  // namespace
}  // namespace cmpost
