// Rules decide who has to agree, on arrival and when it is granted; what somebody may have is
// another question.
#include "processor/devices/device_table.h"
#include "tests/processor/admission/consent_shown.h"

namespace cmpost {
namespace {

using std::chrono::hours;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kAsked = "waiting = \"always\"\nwaiting_by_error = true\n";

std::string rule(const std::string& name, const std::string& verdict, const std::string& when,
                 const std::string& more = "") {
  return "[[rule]]\nname = \"" + name + "\"\nverdict = \"" + verdict + "\"\nwhen = {" + when +
         "}\n" + more;
}

struct Rules : ::testing::Test {
  explicit Rules(const std::string& rules = "") { use(rules); }
  void use(const std::string& rules, const std::string& channel = kAsked) {
    ca.configure(channel + rules);
    for (auto& [name, policy] : ca.channels) {
      auto settings = policy.profiles.front().settings();
      settings.max_requests = 3;
      policy.profiles.front() = must(Profile::create(settings));
    }
  }
  PKIMessage ask(std::string_view subject = "CN=dev1") {
    return ca.talk(with_mac(ca, ir(Credential(), subject)));
  }
  Bytes wait(std::string_view subject = "CN=dev1") {
    const auto told = ask(subject);
    EXPECT_EQ(status_in(told).status, PKIStatus::waiting);
    return tid_of(told);
  }
  std::vector<StoredRuling> rulings(const Bytes& tid) {
    return must(RuleTables(ca.reader->connection()).of_transaction(ca.transaction(tid).id));
  }
  std::vector<PartState> states(const Bytes& tid) {
    std::vector<PartState> states;
    for (const auto& part : ca.waiting_parts(tid)) states.push_back(part.state);
    return states;
  }
  std::vector<std::string> audited(const std::string& event) {
    std::vector<std::string> found;
    for (const auto& entry : must(ca.reader->audit(0, 1000))) {
      if (entry.event == event) found.push_back(entry.detail);
    }
    return found;
  }
  std::int64_t list(const std::string& name) {
    Device device;
    device.name = name;
    device.site = "north";
    must(ca.ledger->write([&](LedgerWriter& writer) -> Result<void> {
      DeviceTable table(writer.connection());
      ASSIGN_OR_RETURN(const auto import, table.begin_import(Bytes{1}, "alice", ca.clock.now()));
      return table.add(device, import);
    }));
    return must(DeviceTable(ca.reader->connection()).find(name))->id;
  }
  void retire(const std::string& name) {
    must(ca.ledger->write([&](LedgerWriter& writer) -> Result<void> {
      TRY(DeviceTable(writer.connection()).retire(name, "stolen", ca.clock.now()));
      return {};
    }));
  }
  Office ca;
};

TEST_F(Rules, OneThatApprovesStandsForPeople) {
  use(std::string("approve = \"two\"\n") + rule("all", "approve", "body = \"ir\""));
  const auto told = ask();
  EXPECT_EQ(status_in(told).status, PKIStatus::accepted);
  EXPECT_NE(find(told.header.generalInfo, oid::id_it_implicitConfirm), nullptr);
  const auto said = rulings(tid_of(told));
  ASSERT_THAT(said, SizeIs(1));
  EXPECT_EQ(said[0].outcome, RuleOutcome::approve);
  EXPECT_EQ(said[0].rule, "all");
  EXPECT_THAT(said[0].facts, HasSubstr(R"("body":"ir","channel":"drop","profile":"device")"));
  EXPECT_THAT(said[0].seen, HasSubstr(R"("when":"body","wants":"ir","saw":"ir","match":"yes")"));
  const auto text = must(RuleTables(ca.reader->connection()).wording(said[0].rule_hash));
  ASSERT_TRUE(text);
  EXPECT_EQ(Bytes(to_bytes(sha256(view_of(*text)))), said[0].rule_hash);
  EXPECT_THAT(*text, HasSubstr("verdict approve"));
  EXPECT_THAT(audited("request.ruled"),
              ElementsAre(HasSubstr(R"("verdict":"approve","rule":"all")")));
  EXPECT_THAT(audited("request.granted"), IsEmpty());
}

TEST_F(Rules, WhereNoneFitsTheChannelDecides) {
  const auto listed = rule("listed", "reject", "device = \"listed\"");
  use(listed);
  const auto told = ask();
  EXPECT_EQ(status_in(told).status, PKIStatus::accepted);
  EXPECT_EQ(rulings(tid_of(told)).at(0).outcome, RuleOutcome::channel);
  EXPECT_THAT(audited("request.ruled"), IsEmpty());
  use("approve = \"one\"\n" + listed);
  EXPECT_EQ(status_in(ask()).status, PKIStatus::waiting);
}

TEST_F(Rules, OneAsksPeopleWhereTheChannelDoesNot) {
  use(rule("careful", "two", ""));
  const auto tid = wait();
  EXPECT_EQ(ca.waiting_parts(tid).at(0).rule, "careful");
  EXPECT_EQ(ca.say(tid, true, "alice"), Decided::one_more);
  EXPECT_EQ(ca.say(tid, true, "bob"), Decided::done);
  ca.work();
  EXPECT_THAT(ca.issued(), SizeIs(1));
  EXPECT_THAT(audited("request.granted"), SizeIs(1));
  EXPECT_THAT(rulings(tid), SizeIs(2)) << "on arrival and when it was granted";
}

TEST_F(Rules, OneRefusesAndSaysWhy) {
  use(rule("closed", "reject", "", "reason = \"the plant is closed\"\n"));
  const auto told = ask();
  EXPECT_THAT(told, Refuses("ip", PKIFailureInfo::notAuthorized));
  EXPECT_THAT(status_in(told).statusString, Contains(HasSubstr("the plant is closed")));
  EXPECT_EQ(rulings(tid_of(told)).at(0).outcome, RuleOutcome::reject);
}

TEST_F(Rules, WhatOneHoldsNobodyCanAgreeTo) {
  const auto hold = rule("quarantine", "hold", "");
  use(hold);
  const auto tid = wait();
  EXPECT_THAT(states(tid), ElementsAre(PartState::held));
  EXPECT_EQ(ca.say(tid, true), Decided::held);
  ca.work();
  EXPECT_THAT(states(tid), ElementsAre(PartState::held));
  EXPECT_THAT(ca.issued(), IsEmpty());
  use(rule("fine", "approve", ""));
  EXPECT_EQ(ca.say(tid, true), Decided::held);
  ca.work();
  EXPECT_THAT(ca.issued(), SizeIs(1));
}

TEST_F(Rules, WhatOneHoldsCanBeRefused) {
  use(rule("quarantine", "hold", ""));
  const auto tid = wait();
  EXPECT_EQ(ca.say(tid, false), Decided::done);
  ca.work();
  EXPECT_THAT(ca.issued(), IsEmpty());
  EXPECT_THAT(states(tid), ElementsAre(PartState::ready));
}

TEST_F(Rules, NoneGivesARightThatSomebodyDoesNotHave) {
  use(rule("all", "approve", ""));
  EXPECT_THAT(ask("CN=somebody else"), Refuses("ip", PKIFailureInfo::notAuthorized));
  EXPECT_THAT(ca.issued(), IsEmpty());
}

TEST_F(Rules, NoneIsPassedByForWhatIsNotKnown) {
  Credential device;
  ca.vendor.certify(device, "CN=4711", ca.clock.now(), ca.random);
  use(rule("bad", "reject", "site = \"south\"") + rule("all", "approve", ""),
      std::string(kAsked) + "trusted_subject = \"any\"\n");
  const auto told = ca.talk(signed_by(ca, device, ir(Credential(), "CN=4711")));
  EXPECT_EQ(status_in(told).status, PKIStatus::waiting);
  EXPECT_EQ(rulings(tid_of(told)).at(0).outcome, RuleOutcome::unclear);
  EXPECT_EQ(ca.say(tid_of(told), true), Decided::done);
  ca.work();
  EXPECT_THAT(ca.issued(), SizeIs(1));
}

TEST_F(Rules, TwoRequestsOfOneGroupDoNotShareTheLastUse) {
  use(rule("few", "approve", "", "limit = \"1 a day\"\n"));
  ca.put(with_mac(ca, ir(Credential(), "CN=dev1")));
  ca.put(with_mac(ca, ir(Credential(), "CN=dev2")));
  ca.work();
  EXPECT_THAT(ca.issued(), SizeIs(1));
  EXPECT_THAT(ca.sent(), SizeIs(2));
  const auto tid = wait("CN=dev3");
  EXPECT_EQ(rulings(tid).at(0).outcome, RuleOutcome::used_up);
  EXPECT_THAT(rulings(tid).at(0).seen,
              HasSubstr(R"("wants":"1 a day","saw":"1 today","match":"no")"));
  ca.clock.advance(hours(24));
  EXPECT_EQ(status_in(ask("CN=dev4")).status, PKIStatus::accepted);
}

TEST_F(Rules, WhatPeopleGrantUsesNothingUp) {
  use(rule("few", "approve", "", "limit = \"1 a day\"\n"));
  EXPECT_EQ(status_in(ask()).status, PKIStatus::accepted);
  const auto tid = wait("CN=dev2");
  ca.clock.advance(hours(24));
  EXPECT_EQ(ca.say(tid, true), Decided::done);
  ca.work();
  EXPECT_THAT(ca.issued(), SizeIs(2));
  EXPECT_EQ(status_in(ask("CN=dev3")).status, PKIStatus::accepted);
}

PKIBody two_requests(const Credential& first, const Credential& second) {
  return body::ir{
      {cert_request(first, "CN=dev1"), cert_request(second, "CN=dev2", {.certReqId = 1})}};
}

struct TwoParts : Rules, ::testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(ToldAndSilent, TwoParts,
                         ::testing::Values(kAsked, "waiting = \"never\"\n"));

TEST_P(TwoParts, AreJudgedEachForItself) {
  use(rule("curves", "approve", "key_type = \"ec\"") + rule("rest", "one", ""), GetParam());
  const auto der = with_mac(ca, two_requests(Credential(), Credential("rsa:2048")));
  const auto tid = *cmpost::decode(der).value().header.transactionID;
  ca.put(der);
  ca.work();
  EXPECT_THAT(ca.issued(), SizeIs(1));
  const auto told = ca.sent();
  const auto parts = ca.waiting_parts(tid);
  ASSERT_THAT(parts, SizeIs(2));
  EXPECT_EQ(parts[0].state, told.empty() ? PartState::ready : PartState::delivered);
  EXPECT_EQ(parts[1].state, PartState::undecided);
  ca.timers();
  EXPECT_EQ(ca.transaction(tid).confirm_by.has_value(), !told.empty());
  EXPECT_EQ(ca.say(tid, true), Decided::done);
  ca.work();
  EXPECT_THAT(ca.issued(), SizeIs(2));
  if (!told.empty()) return;
  const auto answer = Office::only([&] {
    std::vector<Bytes> answers;
    for (auto& job : ca.sent()) answers.push_back(job.payload);
    return answers;
  }());
  EXPECT_THAT(cert_response(answer.body)->response, SizeIs(2));
}

TEST_F(Rules, TwoPartsOfOneMessageDoNotShareTheLastUse) {
  use(rule("few", "approve", "", "limit = \"1 a day\"\n"));
  const auto told = ca.talk(with_mac(ca, two_requests(Credential(), Credential())));
  EXPECT_THAT(ca.issued(), SizeIs(1));
  EXPECT_EQ(ca.waiting_parts(tid_of(told)).at(1).state, PartState::undecided);
}

TEST_F(Rules, TheyAreAskedAgainWhenItIsGranted) {
  use(rule("first", "one", ""));
  const auto tid = wait();
  use(rule("second", "two", ""));
  EXPECT_EQ(ca.say(tid, true, "alice"), Decided::done) << "as it was asked for";
  ca.work();
  EXPECT_THAT(ca.issued(), IsEmpty());
  EXPECT_THAT(ca.waiting_parts(tid).at(0).why, HasSubstr("the rule 'second' now wants 2"));
  EXPECT_EQ(ca.say(tid, true, "alice"), Decided::one_more);
  use(rule("third", "reject", ""));
  EXPECT_EQ(ca.say(tid, true, "bob"), Decided::done);
  ca.work();
  EXPECT_THAT(ca.issued(), IsEmpty());
  EXPECT_THAT(states(tid), ElementsAre(PartState::ready));
}

TEST_F(Rules, ARuleThatIsGoneLeavesWhatItHasAskedFor) {
  use(rule("first", "two", ""));
  const auto tid = wait();
  use("");
  EXPECT_EQ(ca.say(tid, true, "alice"), Decided::one_more);
  EXPECT_EQ(ca.say(tid, true, "bob"), Decided::done);
  ca.work();
  EXPECT_THAT(ca.issued(), SizeIs(1));
}

TEST_F(Rules, ADeviceThatIsRetiredMeanwhileGetsNothing) {
  list("dev1");
  use(rule("listed", "one", "device = \"listed\", site = \"north\""));
  const auto tid = wait();
  retire("dev1");
  EXPECT_EQ(ca.say(tid, true), Decided::done);
  ca.work();
  EXPECT_THAT(ca.issued(), IsEmpty());
}

TEST_F(Rules, ADeviceThatIsRetiredBeforeTheCommitGetsNothing) {
  list("dev1");
  use(rule("listed", "approve", "device = \"listed\""));
  const auto decision = ca.decide(with_mac(ca, ir(Credential())));
  retire("dev1");
  EXPECT_FALSE(ca.commit(decision));
}

TEST_F(Rules, HowManyCertificatesADeviceHasIsCountedInTheCommit) {
  list("dev1");
  use(rule("few", "approve", "active_certificates = \"< 1\"") + rule("rest", "one", ""));
  ca.put(with_mac(ca, ir(Credential())));
  ca.put(with_mac(ca, ir(Credential())));
  ca.work();
  EXPECT_THAT(ca.issued(), SizeIs(1));
  ca.sent();
  // Those of one message count, too.
  ca.clock.advance(hours(24 * 400));
  const auto told =
      ca.talk(with_mac(ca, body::ir{{cert_request(Credential(), "CN=dev1"),
                                     cert_request(Credential(), "CN=dev1", {.certReqId = 1})}}));
  EXPECT_THAT(ca.issued(), SizeIs(2));
  EXPECT_EQ(ca.waiting_parts(tid_of(told)).at(1).rule, "rest");
}

TEST_F(Rules, WhatHasExcludedAnEarlierRuleIsCountedInTheCommit) {
  list("dev1");
  use(rule("enough", "reject", "active_certificates = \"> 0\"") + rule("rest", "approve", ""));
  ca.put(with_mac(ca, ir(Credential())));
  ca.put(with_mac(ca, ir(Credential())));
  ca.work();
  EXPECT_THAT(ca.issued(), SizeIs(1));
}

TEST_F(Rules, ARenewalIsHeldAgainstWhatItRenews) {
  auto device = enrolled(ca);
  use(rule("renewals", "approve",
           "body = \"kur\", subject = \"unchanged\", san = \"unchanged\", revoked = false, "
           "key = \"new\"") +
      rule("rest", "reject", ""));
  EXPECT_THAT(ca.talk(signed_by(ca, device, body::kur{{cert_request(device, "CN=dev1")}})),
              Refuses("kup", PKIFailureInfo::notAuthorized));
  EXPECT_EQ(
      status_in(ca.talk(signed_by(ca, device, body::kur{{cert_request(Credential(), "CN=dev1")}})))
          .status,
      PKIStatus::accepted);
}

TEST_F(Rules, ARevocationIsDecidedWhereARuleSaysSo) {
  auto device = enrolled(ca);
  use(rule("by-hand", "one", "body = \"rr\""));
  const auto told = ca.talk(signed_by(ca, device, revocation(*device.certificate)));
  EXPECT_EQ(status_in(told).status, PKIStatus::waiting);
  EXPECT_EQ(ca.record(*device.certificate)->state, CertificateState::valid);
  EXPECT_EQ(ca.say(tid_of(told), true), Decided::done);
  ca.work();
  EXPECT_EQ(ca.record(*device.certificate)->state, CertificateState::revoked);
}

}  // namespace
}  // namespace cmpost
