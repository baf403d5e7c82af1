// The rules of an RA work like those of a CA: about the whole of a message, before it goes up.
#include "processor/rulings/rule_tables.h"
#include "tests/processor/ra_fixture.h"

namespace cmpost {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string rule(const std::string& name, const std::string& verdict, const std::string& when,
                 const std::string& more = "") {
  return "[[rule]]\nname = \"" + name + "\"\nverdict = \"" + verdict + "\"\nwhen = {" + when +
         "}\n" + more;
}

struct RaRules : Ra {
  Bytes ask(const PKIBody& body) {
    auto der = with_mac(ra(), body);
    const auto tid = *read(der).header.transactionID;
    answers = ra().ask_all(der);
    return tid;
  }
  std::vector<PartState> states(const Bytes& tid) {
    std::vector<PartState> states;
    for (const auto& part : ra().waiting_parts(tid)) states.push_back(part.state);
    return states;
  }
  std::vector<Bytes> answers;
};

TEST_F(RaRules, OneThatApprovesSendsItUp) {
  start("", rule("all", "approve", ""), "approve = \"two\"\n");
  const auto tid = ask(ir(key_));
  EXPECT_THAT(ra().up, SizeIs(1));
  const auto said =
      must(RuleTables(ra().reader->connection()).of_transaction(ra().transaction(tid).id));
  ASSERT_THAT(said, SizeIs(1));
  EXPECT_EQ(said[0].rule, "all");
}

TEST_F(RaRules, OneThatRefusesKeepsItHere) {
  start("", rule("none", "reject", "", "reason = \"closed\"\n"));
  ask(ir(key_));
  EXPECT_THAT(ra().up, IsEmpty());
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_THAT(read(answers[0]), Refuses("ip", PKIFailureInfo::notAuthorized));
}

TEST_F(RaRules, OneThatAsksPeopleWaitsForThem) {
  start("", rule("careful", "two", ""));
  const auto tid = ask(ir(key_));
  EXPECT_THAT(ra().up, IsEmpty());
  EXPECT_EQ(ra().say(tid, true, "alice"), Decided::one_more);
  EXPECT_EQ(ra().say(tid, true, "bob"), Decided::done);
  ra().settle();
  EXPECT_THAT(ra().up, SizeIs(1));
}

TEST_F(RaRules, NoneGivesARightThatSomebodyDoesNotHave) {
  start("", rule("all", "approve", ""));
  ask(ir(key_, "CN=somebody else"));
  EXPECT_THAT(ra().up, IsEmpty());
}

PKIBody two_requests(const Credential& first, const Credential& second) {
  return body::ir{
      {cert_request(first, "CN=dev1"), cert_request(second, "CN=dev2", {.certReqId = 1})}};
}

// What one rule has agreed to waits for the rest, and is asked about again when that is decided.
TEST_F(RaRules, APartThatIsAgreedToWaitsForTheOthers) {
  const auto rules = rule("curves", "approve", "key_type = \"ec\"", "limit = \"1 a day\"\n") +
                     rule("rest", "one", "");
  start("", rules);
  const auto tid = ask(two_requests(Credential(), Credential("rsa:2048")));
  EXPECT_THAT(ra().up, IsEmpty());
  EXPECT_THAT(states(tid), ElementsAre(PartState::agreed, PartState::undecided));
  EXPECT_EQ(ra().say(tid, true), Decided::done);
  ra().settle();
  EXPECT_THAT(ra().up, SizeIs(1));
  // It has used the rule up.
  ra().up.clear();
  ask(ir(Credential()));
  EXPECT_THAT(ra().up, IsEmpty());
}

TEST_F(RaRules, WhatARuleHasAgreedToIsAskedAboutAgain) {
  start("", rule("curves", "approve", "key_type = \"ec\"") + rule("rest", "one", ""));
  const auto tid = ask(two_requests(Credential(), Credential("rsa:2048")));
  ra().set("", rule("curves", "one", "key_type = \"ec\"") + rule("rest", "one", ""), "");
  EXPECT_EQ(ra().say(tid, true, "alice", 1), Decided::done);
  ra().settle();
  EXPECT_THAT(ra().up, IsEmpty());
  EXPECT_THAT(states(tid), ElementsAre(PartState::undecided, PartState::agreed));
  EXPECT_EQ(ra().say(tid, true), Decided::done);
  ra().settle();
  EXPECT_THAT(ra().up, SizeIs(1));
}

}  // namespace
}  // namespace cmpost
