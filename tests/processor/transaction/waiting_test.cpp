// Requests that wait for a decision, and clients that poll.
#include "tests/processor/office.h"

namespace cmpost {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kTold = "approve = \"one\"\nwaiting = \"always\"\n";
constexpr const char* kSilent = "approve = \"one\"\n";

Bytes tid_of(const Bytes& request) { return *decode(request)->header.transactionID; }

TEST(Waiting, TheRequesterIsToldAndPollsUntilItHasItsCertificate) {
  Office ca(kTold);
  const auto request = with_mac(ca, ir(Credential()));
  const auto ip = ca.talk(request);
  ASSERT_EQ(body_name(ip.body), "ip");
  EXPECT_EQ(status_in(ip).status, PKIStatus::waiting);
  EXPECT_EQ(status_in(ip).failInfo, std::nullopt);
  EXPECT_FALSE(cert_response(ip.body)->response[0].certifiedKeyPair);
  EXPECT_EQ(find(ip.header.generalInfo, oid::id_it_implicitConfirm), nullptr)
      << "not granted in a waiting answer (R-120)";
  EXPECT_EQ(ca.certificates(), 0);

  const auto pollRep = ca.talk(with_mac(ca, poll_req(0), following(ip)));
  ASSERT_EQ(body_name(pollRep.body), "pollRep");
  const auto& response = std::get<body::pollRep>(pollRep.body).responses.at(0);
  EXPECT_EQ(response.certReqId, 0);
  EXPECT_EQ(response.checkAfter, 10) << "the channel's poll";

  EXPECT_EQ(ca.say(tid_of(request), true), Decided::done);
  EXPECT_THAT(ca.work_and_send(), IsEmpty()) << "who polls gets nothing else";
  EXPECT_EQ(ca.certificates(), 1);
  const auto poll = with_mac(ca, poll_req(0), following(pollRep));
  const auto final = ca.talk(poll);
  EXPECT_EQ(certificate_in(final).subject(), name("CN=dev1"));
  EXPECT_EQ(final.header.recipNonce, decode(poll)->header.senderNonce) << "R-145";
  EXPECT_NE(find(final.header.generalInfo, oid::id_it_implicitConfirm), nullptr);
  EXPECT_EQ(ca.transaction(tid_of(request)).state, TransactionState::closed);
}

TEST(Waiting, PolledCertificateIsConfirmedAsUsual) {
  Office ca(kTold);
  const auto request = with_mac(ca, ir(Credential()), {.implicit_confirm = false});
  const auto ip = ca.talk(request);
  ca.say(tid_of(request), true);
  const auto final = ca.talk(with_mac(ca, poll_req(0), following(ip)));
  const auto certificate = certificate_in(final);
  EXPECT_EQ(ca.record(certificate)->state, CertificateState::unconfirmed);
  const auto pkiconf = ca.talk(with_mac(ca, cert_conf(certificate), following(final)));
  EXPECT_EQ(body_name(pkiconf.body), "pkiconf");
  EXPECT_EQ(ca.record(certificate)->state, CertificateState::valid);
}

TEST(Waiting, InSilenceTheOneAnswerIsPushedWithTheNonceOfTheRequest) {
  Office ca(kSilent);
  const auto request = with_mac(ca, ir(Credential()));
  EXPECT_THAT(ca.post(request), IsEmpty());
  EXPECT_THAT(ca.post(request), IsEmpty()) << "the same again: it still waits";
  ca.say(tid_of(request), true);
  const auto answers = ca.work_and_send();
  const auto final = Office::only(answers);
  certificate_in(final);
  EXPECT_EQ(final.header.recipNonce, decode(request)->header.senderNonce) << "R-145";
  EXPECT_EQ(ca.post(request), answers) << "R-305";
  EXPECT_EQ(ca.certificates(), 1);
}

TEST(Waiting, WhatIsRejectedGetsARejectionWithTheReason) {
  Office ca(kSilent);
  const auto request = with_mac(ca, ir(Credential()));
  ca.post(request);
  EXPECT_EQ(ca.say(tid_of(request), false, "alice", {}, "not in the list"), Decided::done);
  const auto final = Office::only(ca.work_and_send());
  EXPECT_THAT(final, Refuses("ip", PKIFailureInfo::notAuthorized));
  EXPECT_THAT(status_in(final).statusString[0], ::testing::HasSubstr("not in the list"));
  EXPECT_EQ(ca.certificates(), 0);
  EXPECT_EQ(ca.say(tid_of(request), true), Decided::nothing_waits);
}

TEST(Waiting, WhatCannotBeGrantedIsRefusedOnArrival) {
  Office ca(kTold);
  EXPECT_THAT(ca.talk(with_mac(ca, ir(Credential(), "CN=server"))),
              Refuses("ip", PKIFailureInfo::notAuthorized));
}

TEST(Waiting, TwoDifferentPeopleMustAgree) {
  Office ca("approve = \"two\"\n");
  const auto request = with_mac(ca, ir(Credential()));
  ca.post(request);
  const auto tid = tid_of(request);
  EXPECT_EQ(ca.say(tid, true, "alice"), Decided::one_more);
  EXPECT_EQ(ca.say(tid, true, "alice"), Decided::said_before);
  EXPECT_THAT(ca.work_and_send(), IsEmpty());
  EXPECT_EQ(ca.say(tid, true, "bob"), Decided::done);
  certificate_in(Office::only(ca.work_and_send()));
  std::vector<std::string> approved;
  for (const auto& record : must(ca.reader->audit(0, 100))) {
    if (record.event == "request.approved") approved.push_back(record.detail);
  }
  EXPECT_THAT(approved, SizeIs(2));
}

TEST(Waiting, PollingEarlyOrAgainNeverHarms) {
  Office ca(kTold);
  const auto request = with_mac(ca, ir(Credential()));
  const auto ip = ca.talk(request);
  const auto poll = with_mac(ca, poll_req(0), following(ip));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(body_name(ca.talk(poll).body), "pollRep");
  // An answer was lost: the client follows an older message of ours.
  EXPECT_EQ(body_name(ca.talk(with_mac(ca, poll_req(0), following(ip))).body), "pollRep");
  ca.say(tid_of(request), true);
  const auto last = with_mac(ca, poll_req(0), following(ip));
  const auto final = ca.post(last);
  EXPECT_EQ(ca.post(last), final) << "the same poll gets the same octets (R-310)";
  // A new poll gets the same certificate, bound to that poll.
  const auto later = with_mac(ca, poll_req(0), following(ip));
  const auto again = ca.talk(later);
  EXPECT_EQ(certificate_in(again), certificate_in(Office::only(final)));
  EXPECT_EQ(again.header.recipNonce, decode(later)->header.senderNonce);
  EXPECT_EQ(ca.certificates(), 1);
}

TEST(Waiting, PollNeedNotBringTheCertificateOfTheSignerAgain) {
  Office ca(kTold);
  Credential device, other;
  ca.vendor.certify(device, "CN=serial 1", ca.clock.now(), ca.random);
  ca.vendor.certify(other, "CN=serial 2", ca.clock.now(), ca.random);
  const auto bare = [&](const Credential& who, const PKIBody& body, const MessageOptions& options) {
    auto header = first_header(ca, who.certificate->subject(),
                               *who.certificate->subject_key_identifier(), options);
    return must(protect_with_signature(std::move(header), body, who.signer, {}));
  };
  const auto told = ca.talk(signed_by(ca, device, ir(Credential(), "CN=serial 1")));
  EXPECT_EQ(status_in(told).status, PKIStatus::waiting);
  EXPECT_EQ(body_name(ca.talk(bare(device, poll_req(0), following(told))).body), "pollRep");
  EXPECT_THAT(ca.talk(bare(other, poll_req(0), following(told))),
              Refuses("error", PKIFailureInfo::badMessageCheck));
  EXPECT_THAT(ca.talk(bare(device, ir(Credential(), "CN=serial 1"), {})),
              Refuses("error", PKIFailureInfo::badMessageCheck))
      << "nothing was sent before";
}

TEST(Waiting, PollForNothingIsABadRequest) {
  Office ca(kTold);
  const auto ip = ca.talk(with_mac(ca, ir(Credential())));
  EXPECT_THAT(ca.talk(with_mac(ca, poll_req(1), following(ip))),
              Refuses("error", PKIFailureInfo::badRequest));
  EXPECT_THAT(ca.talk(with_mac(ca, body::pollReq{}, following(ip))),
              Refuses("error", PKIFailureInfo::badRequest));
  EXPECT_EQ(body_name(ca.talk(with_mac(ca, poll_req(-1), following(ip))).body), "pollRep")
      << "the whole message";
}

TEST(Waiting, PollOfATransactionThatDoesNotWaitIsABadRequest) {
  Office ca;
  const auto ip = ca.talk(with_mac(ca, ir(Credential())));
  EXPECT_THAT(ca.talk(with_mac(ca, poll_req(0), following(ip))),
              Refuses("error", PKIFailureInfo::badRequest));
}

TEST(Waiting, PollOfAStrangerChangesNothing) {
  Office ca(kTold);
  const auto request = with_mac(ca, ir(Credential()));
  const auto ip = ca.talk(request);
  EXPECT_THAT(ca.talk(with_mac(ca, poll_req(0), following(ip), "guessed")),
              Refuses("error", PKIFailureInfo::badMessageCheck));
  auto wrong_nonce = following(ip);
  wrong_nonce.edit = [&](PKIHeader& header) {
    header.transactionID = ip.header.transactionID;
    header.recipNonce = Bytes(16, 7);
  };
  EXPECT_THAT(ca.talk(with_mac(ca, poll_req(0), wrong_nonce)),
              Refuses("error", PKIFailureInfo::badRecipientNonce));
  EXPECT_EQ(ca.transaction(tid_of(request)).state, TransactionState::waiting);
}

TEST(Waiting, P10crIsPolledWithMinusOne) {
  Office ca(kTold);
  const Credential device;
  const auto request = with_mac(ca, body::p10cr{certification_request(device, "CN=dev1")});
  const auto cp = ca.talk(request);
  ASSERT_EQ(body_name(cp.body), "cp");
  EXPECT_EQ(cert_response(cp.body)->response[0].certReqId, -1);
  EXPECT_EQ(status_in(cp).status, PKIStatus::waiting);
  ca.say(tid_of(request), true);
  certificate_in(ca.talk(with_mac(ca, poll_req(-1), following(cp))));
}

// The flow of RFC 9810 5.3.22 with two certificates.
TEST(Waiting, PartsThatAreReadyAreDeliveredAndConfirmedWhileTheRestWaits) {
  Office ca(kTold);
  const auto request =
      with_mac(ca, body::ir{{cert_request(Credential(), "CN=dev1"),
                             cert_request(Credential(), "CN=dev1", {.certReqId = 1})}});
  const auto tid = tid_of(request);
  const auto ip = ca.talk(request);
  ASSERT_THAT(cert_response(ip.body)->response, SizeIs(2));
  EXPECT_EQ(ca.say(tid, true, "alice", 0), Decided::done);
  const auto first = ca.talk(with_mac(ca, body::pollReq{{{0}, {1}}}, following(ip)));
  ASSERT_THAT(cert_response(first.body)->response, SizeIs(2));
  EXPECT_EQ(cert_response(first.body)->response[1].status.status, PKIStatus::waiting);
  EXPECT_EQ(find(first.header.generalInfo, oid::id_it_implicitConfirm), nullptr);
  const auto one = certificate_in(first);
  const auto pkiconf = ca.talk(with_mac(ca, cert_conf(one), following(first)));
  ASSERT_EQ(body_name(pkiconf.body), "pkiconf");
  EXPECT_EQ(ca.record(one)->state, CertificateState::valid);
  EXPECT_EQ(ca.transaction(tid).state, TransactionState::waiting);

  ca.say(tid, true, "alice", 1);
  const auto second = ca.talk(with_mac(ca, poll_req(1), following(pkiconf)));
  ASSERT_THAT(cert_response(second.body)->response, SizeIs(1));
  const auto two = certificate_in(second);
  EXPECT_EQ(body_name(ca.talk(with_mac(ca, cert_conf(two, 1), following(second))).body), "pkiconf");
  EXPECT_EQ(ca.record(two)->state, CertificateState::valid);
  EXPECT_EQ(ca.transaction(tid).state, TransactionState::closed);
  EXPECT_EQ(ca.certificates(), 2);
}

// The other part has its answer by then, which its requester has not had.
TEST(Waiting, CertConfIsAboutWhatHasBeenDelivered) {
  Office ca(kTold);
  const auto request =
      with_mac(ca, body::ir{{cert_request(Credential(), "CN=dev1"),
                             cert_request(Credential(), "CN=dev1", {.certReqId = 1})}});
  const auto tid = tid_of(request);
  const auto ip = ca.talk(request);
  ca.say(tid, true, "alice", 0);
  const auto first = ca.talk(with_mac(ca, body::pollReq{{{0}, {1}}}, following(ip)));
  ca.say(tid, true, "alice", 1);
  ca.work();
  const auto pkiconf = ca.talk(with_mac(ca, cert_conf(certificate_in(first)), following(first)));
  ASSERT_EQ(body_name(pkiconf.body), "pkiconf");
  const auto second = ca.talk(with_mac(ca, poll_req(1), following(pkiconf)));
  const auto two = certificate_in(second);
  EXPECT_EQ(ca.record(two)->state, CertificateState::unconfirmed);
  EXPECT_EQ(body_name(ca.talk(with_mac(ca, cert_conf(two, 1), following(second))).body), "pkiconf");
  EXPECT_EQ(ca.record(two)->state, CertificateState::valid);
  EXPECT_EQ(ca.transaction(tid).state, TransactionState::closed);
}

TEST(Waiting, PollForTheWholeMessageWaitsForAllOfIt) {
  Office ca(kTold);
  const auto request =
      with_mac(ca, body::ir{{cert_request(Credential(), "CN=dev1"),
                             cert_request(Credential(), "CN=dev1", {.certReqId = 1})}});
  const auto ip = ca.talk(request);
  ca.say(tid_of(request), true, "alice", 0);
  EXPECT_EQ(body_name(ca.talk(with_mac(ca, poll_req(-1), following(ip))).body), "pollRep");
  ca.say(tid_of(request), false, "alice", 1);
  const auto final = ca.talk(with_mac(ca, poll_req(-1), following(ip)));
  ASSERT_THAT(cert_response(final.body)->response, SizeIs(2));
  EXPECT_EQ(cert_response(final.body)->response[1].status.status, PKIStatus::rejection);
}

TEST(Waiting, AfterSomeSilenceTheRequesterIsToldOnce) {
  Office ca("approve = \"one\"\nwaiting = \"after 2h\"\n");
  const auto request = with_mac(ca, ir(Credential()));
  EXPECT_THAT(ca.post(request), IsEmpty());
  ca.timers();
  EXPECT_THAT(ca.work_and_send(), IsEmpty());
  ca.clock.advance(hours(24 * 30));
  ca.open();
  ca.timers();
  const auto told = ca.work_and_send();
  EXPECT_EQ(status_in(Office::only(told)).status, PKIStatus::waiting);
  ca.timers();
  EXPECT_THAT(ca.work_and_send(), IsEmpty());
  EXPECT_EQ(ca.post(request), told);
  ca.say(tid_of(request), true);
  EXPECT_THAT(ca.work_and_send(), IsEmpty());
  certificate_in(ca.talk(with_mac(ca, poll_req(0), following(Office::only(told)))));
}

TEST(Waiting, DecidedWithinTheSilenceThereIsOneAnswerOnly) {
  Office ca("approve = \"one\"\nwaiting = \"after 2h\"\n");
  const auto request = with_mac(ca, ir(Credential()));
  ca.post(request);
  ca.say(tid_of(request), true);
  certificate_in(Office::only(ca.work_and_send()));
  ca.clock.advance(hours(3));
  ca.timers();
  EXPECT_THAT(ca.work_and_send(), IsEmpty());
}

TEST(Waiting, FinalResponseIsAlsoPushedWhereTheChannelSaysSo) {
  Office ca(std::string(kTold) + "push = true\n");
  const auto request = with_mac(ca, ir(Credential()));
  const auto ip = ca.talk(request);
  ca.say(tid_of(request), true);
  const auto pushed = Office::only(ca.work_and_send());
  EXPECT_EQ(pushed.header.recipNonce, decode(request)->header.senderNonce);
  const auto polled = ca.talk(with_mac(ca, poll_req(0), following(ip)));
  EXPECT_EQ(certificate_in(polled), certificate_in(pushed)) << "the poll had crossed it";
}

TEST(Waiting, NobodyDecidesInTimeAndTheRequesterIsToldOnce) {
  Office ca("approve = \"one\"\ndecide_within = \"10d\"\n");
  const auto request = with_mac(ca, ir(Credential()));
  ca.post(request);
  ca.clock.advance(hours(24 * 11));
  ca.timers();
  EXPECT_THAT(Office::only(ca.work_and_send()), Refuses("ip", PKIFailureInfo::systemUnavail));
  ca.timers();
  EXPECT_THAT(ca.work_and_send(), IsEmpty());
}

TEST(Waiting, RevocationWaitsBehindAnErrorWherePeersUnderstandIt) {
  Office ca(std::string(kTold) + "approve_for = [\"rr\"]\nwaiting_by_error = true\n");
  const auto device = enrolled(ca);
  RevDetails details;
  details.certDetails.issuer = device.certificate->issuer();
  details.certDetails.serialNumber = to_bytes(device.certificate->serial_number());
  const auto request = signed_by(ca, device, body::rr{{details}});
  const auto error = ca.talk(request);
  ASSERT_EQ(body_name(error.body), "error");
  EXPECT_EQ(status_in(error).status, PKIStatus::waiting);
  EXPECT_EQ(status_in(error).failInfo, std::nullopt);
  EXPECT_EQ(ca.record(*device.certificate)->state, CertificateState::valid);
  EXPECT_EQ(body_name(ca.talk(signed_by(ca, device, poll_req(-1), following(error))).body),
            "pollRep");
  ca.say(tid_of(request), true);
  ca.work();
  EXPECT_EQ(ca.record(*device.certificate)->state, CertificateState::revoked);
}

TEST(Waiting, OtherPeersHearNothingUntilTheRevocationIsDone) {
  Office ca(std::string(kTold) + "approve_for = [\"rr\"]\n");
  const auto device = enrolled(ca);
  RevDetails details;
  details.certDetails.issuer = device.certificate->issuer();
  details.certDetails.serialNumber = to_bytes(device.certificate->serial_number());
  const auto request = signed_by(ca, device, body::rr{{details}});
  EXPECT_THAT(ca.post(request), IsEmpty());
  ca.say(tid_of(request), true);
  const auto rp = Office::only(ca.work_and_send());
  EXPECT_EQ(body_name(rp.body), "rp");
  EXPECT_EQ(status_in(rp).status, PKIStatus::accepted);
}

TEST(Waiting, RenewalKeepsOthersOutWhileItWaits) {
  Office ca(std::string(kSilent) + "approve_for = [\"kur\"]\n");
  const auto device = enrolled(ca);
  const auto kur = [&] { return PKIBody(body::kur{{cert_request(Credential(), "CN=dev1")}}); };
  const auto request = signed_by(ca, device, kur());
  EXPECT_THAT(ca.post(request), IsEmpty());
  EXPECT_THAT(ca.talk(signed_by(ca, device, kur())), Refuses("kup", PKIFailureInfo::badRequest));
  ca.say(tid_of(request), true);
  certificate_in(Office::only(ca.work_and_send()));
  EXPECT_EQ(ca.record(*device.certificate)->state, CertificateState::updated);
}

void say_yes_after_its_secret_has_expired(Office& ca) {
  Secret secret;
  secret.reference = "short";
  secret.value = to_bytes(std::string_view("short lived"));
  secret.expires = ca.clock.now() + hours(24);
  ca.add(secret);
  const auto request = with_mac(ca, ir(Credential()), {}, "short lived", "short");
  ca.post(request);
  ca.clock.advance(hours(48));
  ca.say(tid_of(request), true);
}

TEST(Waiting, RequesterThatLostItsRightsMeanwhileGetsNothing) {
  Office ca(kSilent);
  say_yes_after_its_secret_has_expired(ca);
  EXPECT_THAT(Office::only(ca.work_and_send()), Refuses("error", PKIFailureInfo::notAuthorized));
  EXPECT_EQ(ca.certificates(), 0);
}

TEST(Waiting, RightsOnArrivalCountWhereTheChannelSaysSo) {
  Office ca(std::string(kSilent) + "judge = \"arrival\"\n");
  say_yes_after_its_secret_has_expired(ca);
  certificate_in(Office::only(ca.work_and_send()));
}

TEST(Waiting, ErrorOfTheRequesterEndsTheWait) {
  Office ca(kTold);
  const auto request = with_mac(ca, ir(Credential()));
  const auto ip = ca.talk(request);
  const PKIBody error = body::error{{status_info({PKIFailureInfo::badAlg, "no"}), {}, {}}};
  EXPECT_EQ(body_name(ca.talk(with_mac(ca, error, following(ip))).body), "pkiconf");
  EXPECT_EQ(ca.say(tid_of(request), true), Decided::nothing_waits);
  EXPECT_EQ(ca.certificates(), 0);
}

TEST(Waiting, CheckAfterLeadsPastTheNextScheduledRun) {
  Office ca(kTold);
  for (auto& [name, channel] : ca.channels) channel.runs = {*CronTime::parse("0 1 * * *")};
  const auto ip = ca.talk(with_mac(ca, ir(Credential())));
  const auto pollRep = ca.talk(with_mac(ca, poll_req(0), following(ip)));
  const auto seconds = std::get<body::pollRep>(pollRep.body).responses.at(0).checkAfter;
  const auto next = *CronTime::parse("0 1 * * *")->next(ca.clock.now());
  EXPECT_GT(ca.clock.now() + std::chrono::seconds(seconds), next);
  EXPECT_LT(ca.clock.now() + std::chrono::seconds(seconds), next + minutes(1));
}

TEST(Waiting, LostWakeUpIsMadeUpForByTheTimers) {
  Office ca(kSilent);
  const auto request = with_mac(ca, ir(Credential()));
  ca.post(request);
  // The verdict was committed, and the process died before the job was in the queue.
  must(ca.ledger->write([&](LedgerWriter& writer) -> Result<void> {
    WaitTable table(writer.connection());
    auto waiting = *must(table.find(ca.transaction(tid_of(request)).id));
    waiting.parts[0].state = PartState::approved;
    ++waiting.version;
    EXPECT_TRUE(must(table.replace(waiting, WaitTable::Parts::changed)));
    return {};
  }));
  EXPECT_THAT(ca.work_and_send(), IsEmpty());
  ca.timers();
  ca.timers();
  certificate_in(Office::only(ca.work_and_send()));
}

}  // namespace
}  // namespace cmpost
