// Requests of several parts, which the CA above decides one after the other (RFC 9810 5.3.22).
#include "tests/processor/ra_fixture.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr auto kAlways = "waiting = \"always\"\n";
constexpr auto kPeopleThere =
    "trusted_subject = \"any\"\nwaiting = \"always\"\napprove = \"one\"\n"
    "approval_by_ra = \"none\"\n";

class RaParts : public Ra {
 protected:
  void start_between(const std::string& of_drop, const std::string& ra_settings = "") {
    start(ra_settings, "check_after = \"1h\"\n", of_drop, kPeopleThere);
  }
  PKIBody two(std::string_view subject = "CN=dev1") {
    return body::ir{{cert_request(key_, subject), cert_request(other_, subject, {.certReqId = 1})}};
  }
  static Bytes tid_of(const Bytes& der) { return *read(der).header.transactionID; }
  // Somebody at the CA says yes, and the RA asks again when it is time: what comes down.
  std::vector<Bytes> agree(const Bytes& tid, std::int64_t certReqId) {
    ca().say(tid, true, "alice", certReqId);
    ca().work();
    return ask_above();
  }
  std::vector<Bytes> ask_above() {
    ra().clock.advance(25h);
    EXPECT_THAT(ra().tick(), IsEmpty());
    EXPECT_THAT(ra().up, SizeIs(1));
    if (!ra().up.empty()) polled_ = polled_in(ra().up.front());
    return ra().carry();
  }
  static std::vector<std::int64_t> polled_in(const Bytes& der) {
    const auto message = read(der);
    std::vector<std::int64_t> ids;
    if (const auto* poll = std::get_if<body::pollReq>(&message.body)) {
      for (const auto& one : poll->requests) ids.push_back(one.certReqId);
    }
    return ids;
  }
  // "0 accepted, 1 waiting".
  static std::string said(const PKIMessage& answer) {
    const auto* content = cert_response(answer.body);
    std::string text = content == nullptr ? std::string(body_name(answer.body)) : "";
    if (content == nullptr) return text;
    for (const auto& one : content->response) {
      text += (text.empty() ? "" : ", ") + std::to_string(one.certReqId) + " " +
              (one.status.status == PKIStatus::accepted  ? "accepted"
               : one.status.status == PKIStatus::waiting ? "waiting"
                                                         : "refused");
    }
    return text;
  }
  static Certificate certificate_of(const PKIMessage& answer, std::int64_t certReqId) {
    auto one = answer;
    one.body = part_of(answer.body, certReqId);
    return certificate_in(one);
  }
  PKIMessage ask(const PKIBody& body, const PKIMessage& before) {
    return RaOffice::only(ra().ask_all(with_mac(ra(), body, following(before))));
  }
  PKIMessage ask_through(const PKIBody& body, const PKIMessage& before) {
    return ra().through(with_mac(ra(), body, following(before)));
  }
  PKIBody confirming(const PKIMessage& answer, std::int64_t certReqId) {
    return cert_conf(certificate_of(answer, certReqId), certReqId);
  }
  Bytes resigned(const PKIMessage& message) {
    const auto& identity = ca().authority->identity;
    return must(
        protect_with_signature(message.header, message.body, identity.signer, identity.chain));
  }
  void expect_all_is_well(const Bytes& tid) {
    EXPECT_THAT(ra().held(), IsEmpty());
    EXPECT_EQ(ra().transaction(tid).state, TransactionState::closed);
    EXPECT_EQ(ca().transaction(tid).state, TransactionState::closed);
    for (auto* office : {static_cast<Office*>(&ra()), &ca()}) {
      EXPECT_THAT(office->issued(), SizeIs(2));
      for (const auto& record : office->issued()) {
        EXPECT_EQ(record.state, CertificateState::valid) << record.subject;
      }
    }
  }

  Credential other_;
  std::vector<std::int64_t> polled_;  // by the RA
};

TEST_F(RaParts, WhatHasBeenDecidedIsPassedOnAndTheRestPolledFor) {
  start_between(kAlways);
  const auto request = with_mac(ra(), two(), explicitly());
  const auto tid = tid_of(request);
  const auto interim = RaOffice::only(ra().ask_all(request));
  EXPECT_THAT(ra().carry(), IsEmpty());
  EXPECT_THAT(agree(tid, 0), IsEmpty());
  EXPECT_THAT(polled_, ElementsAre(0, 1));
  const auto first = ask(body::pollReq{{{0}, {1}}}, interim);
  EXPECT_EQ(said(first), "0 accepted, 1 waiting");
  const auto pkiconf = ask_through(confirming(first, 0), first);
  EXPECT_EQ(body_name(pkiconf.body), "pkiconf");
  EXPECT_EQ(ra().record(certificate_of(first, 0))->state, CertificateState::valid);
  const auto told = ask(poll_req(1), pkiconf);
  EXPECT_EQ(body_name(told.body), "pollRep");
  EXPECT_THAT(agree(tid, 1), IsEmpty());
  EXPECT_THAT(polled_, ElementsAre(1));
  const auto second = ask(poll_req(1), told);
  EXPECT_EQ(said(second), "1 accepted");
  EXPECT_EQ(body_name(ask_through(confirming(second, 1), second).body), "pkiconf");
  expect_all_is_well(tid);
}

TEST_F(RaParts, WhoeverIsSilentGetsAllOfItAtOnce) {
  start_between("");
  const auto request = with_mac(ra(), two(), explicitly());
  const auto tid = tid_of(request);
  EXPECT_THAT(ra().ask_all(request), IsEmpty());
  EXPECT_THAT(ra().carry(), IsEmpty());
  EXPECT_THAT(agree(tid, 0), IsEmpty());
  const auto answer = RaOffice::only(agree(tid, 1));
  EXPECT_EQ(said(answer), "0 accepted, 1 accepted");
  auto both = confirming(answer, 0);
  std::get<body::certConf>(both).statuses.push_back(
      std::get<body::certConf>(confirming(answer, 1)).statuses.front());
  EXPECT_EQ(body_name(ask_through(both, answer).body), "pkiconf");
  expect_all_is_well(tid);
}

// The CA has decided a part before it answers at all.
TEST_F(RaParts, TheFirstAnswerMayHaveAPartAlready) {
  start("", "check_after = \"1h\"\n", kAlways,
        "waiting = \"after 1h\"\napprove = \"one\"\napproval_by_ra = \"none\"\n");
  const auto request = with_mac(ra(), two(), explicitly());
  const auto tid = tid_of(request);
  const auto interim = RaOffice::only(ra().ask_all(request));
  EXPECT_THAT(ra().carry(), IsEmpty());
  ca().say(tid, true, "alice", 0);
  ca().work();
  ca().clock.advance(2h);
  ca().timers();
  const auto above = ca().work_and_send();
  EXPECT_EQ(said(RaOffice::only(above)), "0 accepted, 1 waiting");
  EXPECT_THAT(ra().hear(above.at(0)), IsEmpty());
  EXPECT_EQ(said(ask(body::pollReq{{{0}, {1}}}, interim)), "0 accepted, 1 waiting");
  EXPECT_THAT(agree(tid, 1), IsEmpty());
  EXPECT_THAT(polled_, ElementsAre(1));
  EXPECT_THAT(ra().held(), IsEmpty());
}

// Which grants no implicit confirmation before all is decided.
TEST_F(RaParts, EachPartIsConfirmedWhereTheCaWaitsForIt) {
  start_between(kAlways, "confirm = \"local\"\n");
  const auto request = with_mac(ra(), two(), explicitly());
  const auto tid = tid_of(request);
  const auto interim = RaOffice::only(ra().ask_all(request));
  EXPECT_THAT(ra().carry(), IsEmpty());
  EXPECT_THAT(agree(tid, 0), IsEmpty());
  const auto first = ask(body::pollReq{{{0}, {1}}}, interim);
  const auto pkiconf = ask_through(confirming(first, 0), first);
  EXPECT_EQ(body_name(pkiconf.body), "pkiconf");
  EXPECT_THAT(agree(tid, 1), IsEmpty());
  const auto second = ask(poll_req(1), pkiconf);
  EXPECT_EQ(body_name(ask_through(confirming(second, 1), second).body), "pkiconf");
  expect_all_is_well(tid);
}

// One comes while certConf about the other is on its way.
TEST_F(RaParts, CertConfIsAboutWhatItsRequesterHasHad) {
  start_between(kAlways);
  const auto request = with_mac(ra(), two(), explicitly());
  const auto tid = tid_of(request);
  const auto interim = RaOffice::only(ra().ask_all(request));
  EXPECT_THAT(ra().carry(), IsEmpty());
  EXPECT_THAT(agree(tid, 0), IsEmpty());
  const auto first = ask(body::pollReq{{{0}, {1}}}, interim);
  EXPECT_THAT(ra().ask_all(with_mac(ra(), confirming(first, 0), following(first))), IsEmpty());
  const auto confirmation = std::exchange(ra().up, {});
  EXPECT_THAT(agree(tid, 1), IsEmpty());
  const auto second = ask(poll_req(1), first);
  EXPECT_EQ(said(second), "1 accepted");
  ra().up = confirmation;
  EXPECT_EQ(body_name(RaOffice::only(ra().carry()).body), "pkiconf");
  EXPECT_EQ(body_name(ask_through(confirming(second, 1), second).body), "pkiconf");
  expect_all_is_well(tid);
}

TEST_F(RaParts, PartsOfWhatIsPassedOnUnchangedAreConfirmedToo) {
  start_with_vendor("forward");
  ca().configure(kPeopleThere);
  const auto device = vendor_device();
  const auto say = [&](const PKIBody& body, const PKIMessage& before) {
    return ra().through(signed_by(ca(), device, body, following(before)));
  };
  const auto interim = ra().through(signed_by(ca(), device, two("CN=V1"), explicitly()));
  const auto tid = *interim.header.transactionID;
  EXPECT_EQ(said(interim), "0 waiting, 1 waiting");
  ca().say(tid, true, "alice", 0);
  ca().work();
  const auto first = say(body::pollReq{{{0}, {1}}}, interim);
  EXPECT_EQ(said(first), "0 accepted, 1 waiting");
  const auto again = say(poll_req(0), first);
  EXPECT_EQ(said(again), "0 accepted, 1 waiting") << "an answer was lost";
  const auto pkiconf = say(confirming(first, 0), again);
  EXPECT_EQ(body_name(pkiconf.body), "pkiconf");
  ca().say(tid, true, "alice", 1);
  ca().work();
  const auto second = say(poll_req(1), pkiconf);
  EXPECT_EQ(said(second), "1 accepted");
  EXPECT_EQ(body_name(say(confirming(second, 1), second).body), "pkiconf");
  expect_all_is_well(tid);
}

// Some CAs say all of it again.
TEST_F(RaParts, WhatIsSaidOnceMoreIsTheSameOrHeld) {
  start_between(kAlways);
  const auto request = with_mac(ra(), two(), explicitly());
  const auto tid = tid_of(request);
  const auto interim = RaOffice::only(ra().ask_all(request));
  EXPECT_THAT(ra().carry(), IsEmpty());
  EXPECT_THAT(agree(tid, 0), IsEmpty());
  const auto first = ask(body::pollReq{{{0}, {1}}}, interim);
  ca().say(tid, true, "alice", 1);
  ca().work();
  ra().clock.advance(25h);
  EXPECT_THAT(ra().tick(), IsEmpty());
  auto answer = read(ra().above_answers().at(0));
  auto& responses = std::get<body::ip>(answer.body).response.response;
  auto zero = std::get<body::ip>(part_of(first.body, 0)).response.response.front();
  auto wrong = zero;
  wrong.certifiedKeyPair = responses.front().certifiedKeyPair;
  responses.insert(responses.begin(), wrong);
  EXPECT_THAT(ra().hear(resigned(answer)), IsEmpty());
  EXPECT_THAT(ra().held(), ElementsAre(HasSubstr("certReqId 0 once more")));
  responses.front() = zero;
  EXPECT_THAT(ra().hear(resigned(answer)), IsEmpty());
  EXPECT_EQ(said(ask(poll_req(1), first)), "1 accepted");
  EXPECT_THAT(ra().issued(), SizeIs(2));
}

TEST_F(RaParts, TheFirstAnswerIsAboutAllOfThem) {
  start_between("");
  EXPECT_THAT(ra().ask_all(with_mac(ra(), two())), IsEmpty());
  auto answer = read(ra().above_answers().at(0));
  answer.body = part_of(answer.body, 0);
  EXPECT_THAT(ra().hear(resigned(answer)), IsEmpty());
  EXPECT_THAT(ra().held(), ElementsAre(HasSubstr("1 responses to 2 requests")));
}

// What has come is the requester's, whatever becomes of the rest.
TEST_F(RaParts, LackOfAnAnswerToTheRestRefusesTheRest) {
  start_between("", "upstream_within = \"3d\"\n");
  const auto request = with_mac(ra(), two(), explicitly());
  const auto tid = tid_of(request);
  EXPECT_THAT(ra().ask_all(request), IsEmpty());
  EXPECT_THAT(ra().carry(), IsEmpty());
  EXPECT_THAT(agree(tid, 0), IsEmpty());
  ra().clock.advance(24h * 4);
  const auto answer = RaOffice::only(ra().tick());
  EXPECT_EQ(said(answer), "0 accepted, 1 refused");
  EXPECT_EQ(body_name(ask_through(confirming(answer, 0), answer).body), "pkiconf");
  EXPECT_EQ(ra().record(certificate_of(answer, 0))->state, CertificateState::valid);
}

// some call a p10cr 0.
TEST_F(RaParts, AnswerToP10crThatIsCalledZeroIsTold) {
  start();
  const auto request = with_mac(ra(), body::p10cr{certification_request(key_, "CN=dev1")});
  EXPECT_THAT(ra().ask_all(request), IsEmpty());
  auto answer = read(ra().above_answers().at(0));
  std::get<body::cp>(answer.body).response.response.front().certReqId = 0;
  const auto down = RaOffice::only(ra().hear(resigned(answer)));
  EXPECT_EQ(said(down), "-1 accepted");
}

}  // namespace
}  // namespace cmpost
