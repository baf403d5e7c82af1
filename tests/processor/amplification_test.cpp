// An answer is not many times as long as what was sent: who writes under somebody else's address
// must not fill that mailbox, nor a few octets on a medium the whole of it.
#include "tests/processor/office.h"

namespace cmpost {
namespace {

// An answer may always have its certificates; beyond that it is a few times the request.
constexpr std::size_t kAlways = 12'000;
constexpr std::size_t kTimes = 10;
constexpr std::size_t kMany = 1000;  // as many as a list may have

class Amplification : public ::testing::Test {
 protected:
  void start(const std::string& settings = "") {
    ca = std::make_unique<Office>(settings);
    ca->ra_root.certify(ra, "CN=RA", ca->clock.now(), ca->random);
    ca->add([] {
      Secret wide;
      wide.reference = "wide";
      wide.value = to_bytes(std::string_view("another secret"));
      wide.subject = "CN=*";
      return wide;
    }());
  }
  void expect_bounded(const Bytes& request, const std::string& what) {
    std::size_t octets = 0;
    for (const auto& answer : ca->post(request)) octets += answer.size();
    EXPECT_LE(octets, kAlways + kTimes * request.size()) << what << " of " << request.size();
  }
  void expect_bounded(const PKIBody& body, const std::string& what) {
    expect_bounded(with_mac(*ca, body), what + " under a MAC");
    expect_bounded(signed_by(*ca, ra, body), what + " of an RA");
  }

  std::unique_ptr<Office> ca;
  Credential ra;
};

CertReqMessages small_requests(bool counted) {
  CertReqMessages messages;
  for (std::size_t i = 0; i < kMany; ++i) {
    CertReqMsg message;
    message.certReq.certReqId = counted ? static_cast<std::int64_t>(i) : 0;
    messages.push_back(std::move(message));
  }
  return messages;
}

TEST_F(Amplification, OfCertificateRequests) {
  start();
  for (const bool counted : {true, false}) {
    const auto requests = small_requests(counted);
    expect_bounded(body::ir{requests}, "ir");
    expect_bounded(body::cr{requests}, "cr");
    expect_bounded(body::kur{requests}, "kur");
    expect_bounded(body::krr{requests}, "krr");
    expect_bounded(body::ccr{requests}, "ccr");
  }
}

TEST_F(Amplification, OfRevocations) {
  start();
  const auto device = enrolled(*ca);
  const auto own = details_of(*device.certificate);
  for (const auto& details : {RevDetails{}, own}) {
    const body::rr rr{std::vector<RevDetails>(kMany, details)};
    expect_bounded(rr, "rr");
    expect_bounded(signed_by(*ca, device, rr), "rr of a device");
  }
}

TEST_F(Amplification, OfRevocationsThatNeedConsent) {
  start("approve = \"one\"\napprove_for = [\"rr\"]\n");
  expect_bounded(body::rr{std::vector<RevDetails>(kMany)}, "rr");
}

TEST_F(Amplification, OfPolls) {
  start("approve = \"one\"\nwaiting = \"always\"\n");
  const auto request = with_mac(*ca, ir(Credential()));
  const auto told = ca->talk(request);
  const body::pollReq same{std::vector<PollReq>(kMany, PollReq{0})};
  const body::pollReq whole{std::vector<PollReq>(kMany, PollReq{-1})};
  for (const bool decided : {false, true}) {
    if (decided) ca->say(*decode(request)->header.transactionID, true);
    ca->work();
    ca->sent();
    for (const auto& body : {same, whole}) {
      const auto poll = with_mac(*ca, body, following(told));
      expect_bounded(poll, "pollReq");
      EXPECT_THAT(ca->talk(with_mac(*ca, body, following(told))),
                  Refuses("error", PKIFailureInfo::badRequest));
    }
  }
  const auto final = ca->talk(with_mac(*ca, poll_req(0), following(told)));
  EXPECT_EQ(certificate_in(final).subject(), name("CN=dev1")) << "nothing is lost by that";
}

TEST_F(Amplification, OfPollsThatCallOnePartByTwoNames) {
  start("approve = \"one\"\nwaiting = \"always\"\n");
  const auto told =
      ca->talk(with_mac(*ca, body::p10cr{certification_request(Credential(), "CN=dev1")}));
  const body::pollReq both{{PollReq{0}, PollReq{-1}}};
  EXPECT_THAT(ca->talk(with_mac(*ca, both, following(told))),
              Refuses("error", PKIFailureInfo::badRequest));
}

TEST_F(Amplification, OfConfirmations) {
  start("confirm = \"wait\"\n");
  const auto answer = ca->talk(with_mac(*ca, ir(Credential())));
  auto body = std::get<body::certConf>(cert_conf(certificate_in(answer)));
  body.statuses.resize(kMany, body.statuses.front());
  const auto message = with_mac(*ca, body, following(answer));
  expect_bounded(message, "certConf");
  EXPECT_THAT(ca->talk(with_mac(*ca, body, following(answer))),
              Refuses("error", PKIFailureInfo::badRequest));
}

TEST_F(Amplification, OfQuestions) {
  start();
  must(issue_crl(*ca->ledger, ca->authority->issuer, {}, ca->clock));
  for (const auto& type :
       {oid::id_it_caProtEncCert, oid::id_it_signKeyPairTypes, oid::id_it_encKeyPairTypes,
        oid::id_it_preferredSymmAlg, oid::id_it_currentCRL, oid::id_it_caCerts,
        oid::id_it_rootCaCert, oid::id_it_certReqTemplate, oid::id_it_unsupportedOIDs}) {
    for (const std::size_t count : {2, 64}) {
      const body::genm genm{std::vector<InfoTypeAndValue>(count, {type, std::nullopt})};
      expect_bounded(genm, "genm " + type.name());
      EXPECT_THAT(ca->talk(with_mac(*ca, genm)), Refuses("error", PKIFailureInfo::badRequest))
          << type.name();
    }
  }
}

TEST_F(Amplification, OfAnswersToAChallenge) {
  start();
  expect_bounded(body::popdecr{std::vector<Bytes>(kMany, Bytes{1})}, "popdecr");
}

TEST_F(Amplification, OfBatches) {
  start();
  const std::vector<Bytes> nothing(5 * kMany, Bytes{der::kSequence, 0});
  expect_bounded(signed_by(*ca, ra, body::nested{nothing}), "a batch of nothing");
  const std::vector<Bytes> same(kMany, with_mac(*ca, body::genm{}));
  expect_bounded(signed_by(*ca, ra, body::nested{same}), "a batch of one message");
  std::vector<Bytes> wrong;
  for (std::size_t i = 0; i < kMany; ++i) {
    wrong.push_back(leave_unprotected(first_header(*ca, name("CN=dev1"), {}, {}), body::genm{}));
  }
  expect_bounded(signed_by(*ca, ra, body::nested{wrong}), "a batch of unprotected messages");
}

TEST_F(Amplification, AFewThatCannotBeReadAreStillAnsweredOneByOne) {
  start();
  const std::vector<Bytes> members = {with_mac(*ca, ir(Credential())), Bytes{der::kSequence, 0}};
  const auto answer = ca->talk(signed_by(*ca, ra, body::nested{members}));
  ASSERT_EQ(body_name(answer.body), "nested");
  EXPECT_EQ(std::get<body::nested>(answer.body).messages.size(), 2U);
}

}  // namespace
}  // namespace cmpost
