// An RA between requesters and the CA under test (RFC 9483 5.2).
#include "processor/explanation/explain.h"
#include "tests/processor/ra_fixture.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

//
TEST_F(Ra, PutsItsSignatureInPlaceOfAMac) {
  start();
  const auto request = with_mac(ra(), ir(key_));
  EXPECT_THAT(ra().ask_all(request), IsEmpty());
  ASSERT_THAT(ra().up, SizeIs(1));
  const auto before = read(request), up = read(ra().up.front());
  EXPECT_EQ(protection_kind(up), ProtectionKind::signature);
  EXPECT_THAT(verify_signature_protection(up, ra().own.key.public_key()), IsOk());
  EXPECT_EQ(up.header.transactionID, before.header.transactionID);
  EXPECT_EQ(up.header.senderNonce, before.header.senderNonce);
  EXPECT_EQ(encode_protected_part({}, up.body), encode_protected_part({}, before.body));
  const auto answer = RaOffice::only(ra().carry());
  EXPECT_THAT(verify_mac_protection(answer, view_of(CaUnderTest::kSecret), {}), IsOk());
  EXPECT_EQ(answer.header.recipNonce, before.header.senderNonce);
  EXPECT_EQ(certificate_in(answer).subject(), name("CN=dev1"));
  ASSERT_THAT(ra().issued(), SizeIs(1));
  EXPECT_EQ(ra().issued().front().state, CertificateState::valid);
}

//
TEST_F(Ra, ForwardsWhatIsSignedAsItIs) {
  start_with_vendor("forward");
  const auto device = vendor_device();
  const auto request = signed_by(ca(), device, ir(device, "CN=V1"));
  EXPECT_THAT(ra().ask_all(request), IsEmpty());
  EXPECT_THAT(ra().up, ElementsAre(request));
  const auto answers = ra().above_answers();
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_THAT(ra().hear(answers.front()), ElementsAre(answers.front()));
}

//
TEST_F(Ra, PutsItsSignatureAround) {
  start_with_vendor("nest");
  const auto device = vendor_device();
  const auto request = signed_by(ca(), device, ir(device, "CN=V1"));
  EXPECT_THAT(ra().ask_all(request), IsEmpty());
  const auto up = read(ra().up.at(0));
  EXPECT_THAT(std::get<body::nested>(up.body).messages, ElementsAre(request));
  EXPECT_EQ(up.header.transactionID, read(request).header.transactionID);
  EXPECT_EQ(up.header.senderNonce, read(request).header.senderNonce);
  const auto answers = ra().above_answers();
  EXPECT_THAT(ra().hear(answers.at(0)), ElementsAre(answers.at(0)));
}

// RFC 9483 5.2.1: the CA has to know the old certificate.
TEST_F(Ra, RenewalKeepsItsOwnProtectionWhateverTheWish) {
  start();
  Credential device;
  device.certificate = certificate_in(ra().through(with_mac(ra(), ir(device))));
  const auto kur = signed_by(ra(), device, body::kur{{cert_request(key_, "CN=dev1")}});
  EXPECT_THAT(ra().ask_all(kur), IsEmpty());
  EXPECT_THAT(std::get<body::nested>(read(ra().up.at(0)).body).messages, ElementsAre(kur));
  const auto answer = RaOffice::only(ra().carry());
  EXPECT_EQ(body_name(answer.body), "kup");
  EXPECT_EQ(certificate_in(answer).subject(), name("CN=dev1"));
  EXPECT_EQ(ra().record(*device.certificate)->state, CertificateState::updated);
}

TEST_F(Ra, CertificateIsRenewedWhenItsSuccessorIsAccepted) {
  start();
  Credential device;
  device.certificate = certificate_in(ra().through(with_mac(ra(), ir(device))));
  const auto kur =
      signed_by(ra(), device, body::kur{{cert_request(key_, "CN=dev1")}}, explicitly());
  const auto answer = ra().through(kur);
  EXPECT_EQ(ra().record(*device.certificate)->state, CertificateState::valid);
  const auto conf = signed_by(ra(), device, cert_conf(certificate_in(answer)), following(answer));
  EXPECT_EQ(body_name(ra().through(conf).body), "pkiconf");
  EXPECT_EQ(ra().record(*device.certificate)->state, CertificateState::updated);
  EXPECT_EQ(ca().record(*device.certificate)->state, CertificateState::updated);
}

TEST_F(Ra, WhatNeedsItsOwnProtectionAndHasAMacIsRefused) {
  start();
  Credential device;
  device.certificate = certificate_in(ra().through(with_mac(ra(), ir(device))));
  const auto answer = RaOffice::only(ra().ask_all(
      with_mac(ra(), ir(key_, "CN=dev1",
                        {.edit = [](CertTemplate& wanted) { wanted.publicKey.reset(); },
                         .edit_signed = [](CertReqMsg& message) { message.popo.reset(); }}))));
  EXPECT_THAT(answer, Refuses("ip", PKIFailureInfo::notAuthorized));
  EXPECT_THAT(ra().up, IsEmpty());
}

TEST_F(Ra, CertConfGoesTheWayOfItsRequest) {
  start();
  const auto answer = ra().through(with_mac(ra(), ir(key_), explicitly()));
  const auto certificate = certificate_in(answer);
  EXPECT_EQ(ra().record(certificate)->state, CertificateState::unconfirmed);
  const auto conf = with_mac(ra(), cert_conf(certificate), following(answer));
  EXPECT_THAT(ra().ask_all(conf), IsEmpty());
  EXPECT_EQ(read(ra().up.at(0)).header.recipNonce, answer.header.senderNonce);
  const auto end = RaOffice::only(ra().carry());
  EXPECT_EQ(body_name(end.body), "pkiconf");
  EXPECT_THAT(verify_mac_protection(end, view_of(CaUnderTest::kSecret), {}), IsOk());
  EXPECT_EQ(end.header.recipNonce, read(conf).header.senderNonce);
  EXPECT_EQ(ra().record(certificate)->state, CertificateState::valid);
  EXPECT_EQ(ca().record(certificate)->state, CertificateState::valid);
  EXPECT_EQ(ra().transaction(*answer.header.transactionID).state, TransactionState::closed);
}

TEST_F(Ra, ExplanationDoesNotVouchForWhatTheCaHasJudged) {
  start();
  const auto answer = ra().through(with_mac(ra(), ir(key_)));
  const auto transaction = ra().transaction(*answer.header.transactionID);
  const auto messages = must(TransactionTable(ra().reader->connection()).messages(transaction.id));
  const auto services = ra().services();
  const auto verdicts = must(explain(transaction, messages.at(0), *ra().reader, &services));
  std::size_t left_to_the_ca = 0;
  for (const auto& one : verdicts) {
    if (one.detail != "not judged here: the CA does") continue;
    EXPECT_EQ(one.verdict, CheckVerdict::Verdict::skipped) << one.check;
    ++left_to_the_ca;
  }
  EXPECT_EQ(left_to_the_ca, 2U);
}

// Not by that of the CA's file, which nobody there knows.
TEST_F(Ra, AnswerIsNamedByTheRequestThatItIsTo) {
  start();
  auto asked = ra().arrival(with_mac(ra(), ir(key_))).job;
  asked.envelope.source = "asked.pki";
  must(ra().spool->requests().put({&asked, 1}));
  ra().settle();
  const auto answers = ra().above_answers();
  auto job = ra().arrival(answers.at(0)).job;
  job.envelope.channel = job.envelope.reply.channel = "vault";
  job.envelope.source = "from the CA";
  must(ra().spool->requests().put({&job, 1}));
  ra().work();
  const auto down = must(ra().spool->replies().list({.state = JobState::waiting}));
  ASSERT_THAT(down, SizeIs(1));
  EXPECT_EQ(down.front().envelope.source, "asked.pki");
}

// The first may have got lost on its way.
TEST_F(Ra, SecondPollGoesUpWhileTheFirstIsOnItsWay) {
  start_with_vendor("forward");
  const auto device = vendor_device();
  ca().configure("trusted_subject = \"any\"\nwaiting = \"always\"\napprove = \"one\"\n");
  const auto interim = ra().through(signed_by(ca(), device, ir(device, "CN=V1")));
  const auto poll = [&] { return signed_by(ca(), device, poll_req(0), following(interim)); };
  EXPECT_THAT(ra().ask_all(poll()), IsEmpty());
  const auto lost = std::exchange(ra().up, {});
  EXPECT_THAT(lost, SizeIs(1));
  EXPECT_THAT(ra().ask_all(poll()), IsEmpty());
  EXPECT_THAT(ra().up, SizeIs(1));
  EXPECT_EQ(body_name(RaOffice::only(ra().carry()).body), "pollRep");
}

TEST_F(Ra, SecondCertConfIsRefusedWhileTheFirstIsOnItsWay) {
  start();
  const auto answer = ra().through(with_mac(ra(), ir(key_), explicitly()));
  const auto conf = [&] {
    return with_mac(ra(), cert_conf(certificate_in(answer)), following(answer));
  };
  EXPECT_THAT(ra().ask_all(conf()), IsEmpty());
  EXPECT_THAT(RaOffice::only(ra().ask_all(conf())), Refuses("error", PKIFailureInfo::badRequest));
  EXPECT_EQ(body_name(RaOffice::only(ra().carry()).body), "pkiconf");
}

TEST_F(Ra, RefusalOfTheCaReachesTheRequester) {
  start();
  // The CA has no such profile.
  const auto request = with_mac(
      ra(),
      ir(key_, "CN=dev1", {.edit = [](CertTemplate& wanted) { wanted.serialNumber = Bytes{1}; }}));
  const auto answer = ra().through(request);
  EXPECT_THAT(answer, Refuses("ip", PKIFailureInfo::badCertTemplate));
  EXPECT_THAT(verify_mac_protection(answer, view_of(CaUnderTest::kSecret), {}), IsOk());
  EXPECT_THAT(ra().issued(), IsEmpty());
}

TEST_F(Ra, RefusesByItselfWhatTheRequesterHasNoRightTo) {
  start();
  const auto answer = RaOffice::only(ra().ask_all(with_mac(ra(), ir(key_, "CN=somebody"))));
  EXPECT_THAT(answer, Refuses("ip", PKIFailureInfo::notAuthorized));
  EXPECT_THAT(ra().up, IsEmpty());
}

TEST_F(Ra, NoRequesterClaimsThatARaHasVerifiedItsKey) {
  start();
  const auto answer = RaOffice::only(ra().ask_all(with_mac(
      ra(), ir(key_, "CN=dev1",
               {.edit_signed = [](CertReqMsg& message) { message.popo = RaVerified{}; }}))));
  EXPECT_THAT(answer, Refuses("ip", PKIFailureInfo::notAuthorized));
  EXPECT_THAT(ra().up, IsEmpty());
}

TEST_F(Ra, RequestOnItsWayIsNotSentTwice) {
  start();
  const auto request = with_mac(ra(), ir(key_));
  EXPECT_THAT(ra().ask_all(request), IsEmpty());
  EXPECT_THAT(ra().ask_all(request), IsEmpty());
  EXPECT_THAT(ra().up, SizeIs(1));
  const auto answer = ra().carry();
  EXPECT_THAT(ra().ask_all(request), ElementsAre(answer.at(0)));
}

// Verified before anything of it is kept: it must not end the transaction.
TEST_F(Ra, ForgedAnswerChangesNothing) {
  start();
  const auto request = with_mac(ra(), ir(key_));
  EXPECT_THAT(ra().ask_all(request), IsEmpty());
  const auto answers = ra().above_answers();
  auto forged = read(answers.at(0));
  Credential stranger;
  ca().vendor.certify(stranger, "CN=Test CMP", ca().clock.now(), ca().random);
  const auto der = must(protect_with_signature(forged.header, forged.body, stranger.signer,
                                               {{to_bytes(stranger.certificate->der())}}));
  EXPECT_THAT(ra().hear(der), IsEmpty());
  EXPECT_THAT(ra().held(), ElementsAre(HasSubstr("does not count")));
  EXPECT_THAT(ra().hear(answers.at(0)), SizeIs(1));
}

TEST_F(Ra, HolderOfACertificateDoesNotAnswerForTheCa) {
  start();
  Credential device;
  device.certificate = certificate_in(ra().through(with_mac(ra(), ir(device))));
  EXPECT_THAT(ra().ask_all(with_mac(ra(), ir(key_))), IsEmpty());
  const auto answers = ra().above_answers();
  auto forged = read(answers.at(0));
  forged.header.senderKID = device.certificate->subject_key_identifier();
  const auto der = must(protect_with_signature(forged.header, forged.body, device.signer,
                                               {{to_bytes(device.certificate->der())}}));
  EXPECT_THAT(ra().hear(der), IsEmpty());
  EXPECT_THAT(ra().held(), ElementsAre(HasSubstr("not for answers of a CA")));
  EXPECT_THAT(ra().hear(answers.at(0)), SizeIs(1));
}

// A serial number is one of its issuer's.
TEST_F(Ra, SerialNumberOfAnotherIssuerIsNobodysOwn) {
  start();
  Credential device;
  device.certificate = certificate_in(ra().through(with_mac(ra(), ir(device))));
  auto rr = revocation(*device.certificate);
  std::get<body::rr>(rr).details.at(0).certDetails.issuer = name("CN=Another CA");
  const auto answer = RaOffice::only(ra().ask_all(signed_by(ra(), device, rr)));
  EXPECT_THAT(answer, Refuses("rp", PKIFailureInfo::badCertId));
  EXPECT_THAT(ra().up, IsEmpty());
}

// What became of its certConf nobody here knows: the CA decides.
TEST_F(Ra, HolderOfWhatIsNotConfirmedMayRenew) {
  start("upstream_within = \"1d\"\n");
  Credential device;
  const auto answer = ra().through(with_mac(ra(), ir(device), explicitly()));
  device.certificate = certificate_in(answer);
  EXPECT_THAT(ra().ask_all(with_mac(ra(), cert_conf(*device.certificate), following(answer))),
              IsEmpty());
  EXPECT_THAT(ra().above_answers(), SizeIs(1));  // and is lost
  ra().tick();
  ra().clock.advance(25h);
  EXPECT_THAT(RaOffice::only(ra().tick()), Refuses("error", PKIFailureInfo::systemUnavail));
  EXPECT_EQ(ra().record(*device.certificate)->state, CertificateState::unconfirmed);
  const auto kur = signed_by(ra(), device, body::kur{{cert_request(key_, "CN=dev1")}});
  EXPECT_THAT(ra().ask_all(kur), IsEmpty());
  EXPECT_THAT(ra().up, SizeIs(1));
  const auto cr = signed_by(ra(), device, body::cr{{cert_request(key_, "CN=dev1")}});
  EXPECT_THAT(RaOffice::only(ra().ask_all(cr)), Refuses("error", PKIFailureInfo::notAuthorized));
}

// Whose certificate it is says its profile.
TEST_F(Ra, RenewalAndRevocationGoToTheCaThatHasIssued) {
  const std::string other =
      "[[channel]]\nname = \"other\"\nkind = \"directory\"\nin = \"in-o\"\nout = \"out-o\"\n"
      "direction = \"upstream\"\ntrust = [\"above.pem\"]\n";
  start("", other);
  Credential device;
  device.certificate = certificate_in(ra().through(with_mac(ra(), ir(device))));
  ra().set("", other + "profiles = [\"device\"]\n", "");
  const auto kur = signed_by(ra(), device, body::kur{{cert_request(key_, "CN=dev1")}});
  EXPECT_THAT(ra().ask_all(kur), SizeIs(1));  // "down" is all that does not go to the vault
  EXPECT_THAT(ra().ask_all(signed_by(ra(), device, revocation(*device.certificate))), SizeIs(1));
  EXPECT_THAT(ra().up, IsEmpty());
  EXPECT_EQ(ra().messages(*read(kur).header.transactionID).at(0).channel, "other");
}

// It would poll with a nonce that the CA does not know.
TEST_F(Ra, NobodyHearsWaitingWhereTheCaKnowsOnlyItsOwnNonces) {
  start("mode = \"batch\"\n", "", "waiting = \"always\"\n");
  const auto interim = RaOffice::only(ra().ask_all(with_mac(ra(), ir(key_))));
  EXPECT_EQ(status_in(interim).status, PKIStatus::waiting);
  Credential device;
  ra().vendor.certify(device, "CN=V1", ra().clock.now(), ra().random);
  EXPECT_THAT(ra().ask_all(signed_by(ra(), device, ir(device, "CN=V1"))), IsEmpty());
}

// Of several CAs each answers what it was asked.
TEST_F(Ra, OneCaDoesNotAnswerForAnother) {
  start("",
        "[[channel]]\nname = \"other\"\nkind = \"directory\"\nin = \"in-o\"\nout = \"out-o\"\n"
        "direction = \"upstream\"\ntrust = [\"ca.pem\"]\n");
  EXPECT_THAT(ra().ask_all(with_mac(ra(), ir(key_))), IsEmpty());
  const auto answers = ra().above_answers();
  auto forged = read(answers.at(0));
  Credential other;
  ra().other_ca.certify(other, "CN=Other CMP", ra().clock.now(), ra().random);
  forged.header.senderKID = other.certificate->subject_key_identifier();
  const auto der = must(protect_with_signature(forged.header, forged.body, other.signer,
                                               {{to_bytes(other.certificate->der())}}));
  EXPECT_THAT(ra().hear(der, "other"), IsEmpty());
  EXPECT_THAT(ra().held(), ElementsAre(HasSubstr("another channel than vault")));
  EXPECT_THAT(ra().hear(answers.at(0)), SizeIs(1));
}

TEST_F(Ra, WhatWorksForTheCaIsNoRequester) {
  start();
  const auto& identity = ca().authority->identity;
  Credential cmp;
  cmp.signer = identity.signer;
  cmp.certificate = identity.certificate;
  const auto answer = RaOffice::only(ra().ask_all(signed_by(ra(), cmp, ir(key_, "CN=Test CMP"))));
  EXPECT_THAT(answer, Refuses("error", PKIFailureInfo::signerNotTrusted));
  EXPECT_THAT(ra().up, IsEmpty());
}

TEST_F(Ra, UnprotectedErrorEndsNothing) {
  start();
  const auto request = with_mac(ra(), ir(key_));
  EXPECT_THAT(ra().ask_all(request), IsEmpty());
  const auto answers = ra().above_answers();
  auto header = read(answers.at(0)).header;
  header.protectionAlg.reset();
  EXPECT_THAT(
      ra().hear(leave_unprotected(header, error_body({PKIFailureInfo::systemFailure, "no"}))),
      IsEmpty());
  EXPECT_THAT(ra().hear(answers.at(0)), SizeIs(1));
}

TEST_F(Ra, SameAnswerTwiceIsOneAndAnotherIsShown) {
  start();
  const auto request = with_mac(ra(), ir(key_));
  EXPECT_THAT(ra().ask_all(request), IsEmpty());
  const auto answers = ra().above_answers();
  EXPECT_THAT(ra().hear(answers.at(0)), SizeIs(1));
  EXPECT_THAT(ra().hear(answers.at(0)), IsEmpty());
  EXPECT_THAT(ra().held(), IsEmpty());
  auto other = read(answers.at(0));
  other.header.senderNonce = ca().random.bytes(16);
  const auto& identity = ca().authority->identity;
  const auto der =
      must(protect_with_signature(other.header, other.body, identity.signer, identity.chain));
  EXPECT_THAT(ra().hear(der), IsEmpty());
  EXPECT_THAT(ra().held(), ElementsAre(HasSubstr("another answer")));
}

TEST_F(Ra, AnswerToNothingIsKept) {
  start();
  const auto answer = ca().exchange(with_mac(ca(), ir(key_)));
  EXPECT_THAT(ra().hear(answer), IsEmpty());
  EXPECT_THAT(ra().held(), ElementsAre(HasSubstr("nothing that was asked")));
}

TEST_F(Ra, NobodyAnswersInTimeAndTheRequesterHearsSoOnce) {
  start("upstream_within = \"1d\"\n");
  const auto request = with_mac(ra(), ir(key_));
  EXPECT_THAT(ra().ask_all(request), IsEmpty());
  EXPECT_THAT(ra().tick(), IsEmpty());  // it has left
  ra().clock.advance(23h);
  EXPECT_THAT(ra().tick(), IsEmpty());
  ra().clock.advance(2h);
  const auto answer = RaOffice::only(ra().tick());
  EXPECT_THAT(answer, Refuses("error", PKIFailureInfo::systemUnavail));
  EXPECT_THAT(ra().tick(), IsEmpty());
  // It comes all the same.
  EXPECT_THAT(ra().carry(), IsEmpty());
  EXPECT_THAT(ra().held(), ElementsAre(HasSubstr("had been told that there is none")));
}

// The time counts from the departure.
TEST_F(Ra, WhatHasNotLeftIsNotOverdue) {
  start("upstream_within = \"1d\"\n");
  ra().put(with_mac(ra(), ir(key_)));
  ra().work();
  ra().clock.advance(48h);
  EXPECT_THAT(ra().tick(), IsEmpty());
  EXPECT_THAT(ra().up, SizeIs(1));
  EXPECT_THAT(ra().tick(), IsEmpty());
}

TEST_F(Ra, PeopleAgreeBeforeTheCaIsAsked) {
  start("", "", "approve = \"one\"\n");
  const auto request = with_mac(ra(), ir(key_));
  EXPECT_THAT(ra().ask_all(request), IsEmpty());
  EXPECT_THAT(ra().up, IsEmpty());
  const auto tid = *read(request).header.transactionID;
  EXPECT_THAT(ra().waiting_parts(tid), SizeIs(1));
  ra().say(tid, true);
  EXPECT_THAT(ra().settle(), IsEmpty());
  EXPECT_EQ(ra().waiting_parts(tid).at(0).state, PartState::upstream);
  EXPECT_EQ(certificate_in(RaOffice::only(ra().carry())).subject(), name("CN=dev1"));
}

TEST_F(Ra, WhatPeopleRefuseIsNotAsked) {
  start("", "", "approve = \"one\"\n");
  const auto request = with_mac(ra(), ir(key_));
  EXPECT_THAT(ra().ask_all(request), IsEmpty());
  ra().say(*read(request).header.transactionID, false);
  EXPECT_THAT(RaOffice::only(ra().settle()), Refuses("ip", PKIFailureInfo::notAuthorized));
  EXPECT_THAT(ra().up, IsEmpty());
}

TEST_F(Ra, RequesterPollsHereWhileTheCaIsAsked) {
  start("", "", "waiting = \"always\"\n");
  const auto interim = RaOffice::only(ra().ask_all(with_mac(ra(), ir(key_), explicitly())));
  EXPECT_EQ(status_in(interim).status, PKIStatus::waiting);
  const auto told = RaOffice::only(ra().ask_all(with_mac(ra(), poll_req(0), following(interim))));
  EXPECT_EQ(body_name(told.body), "pollRep");
  EXPECT_THAT(ra().carry(), IsEmpty());
  const auto answer = RaOffice::only(ra().ask_all(with_mac(ra(), poll_req(0), following(told))));
  const auto certificate = certificate_in(answer);
  const auto conf = with_mac(ra(), cert_conf(certificate), following(answer));
  EXPECT_EQ(body_name(ra().through(conf).body), "pkiconf");
  EXPECT_EQ(ca().record(certificate)->state, CertificateState::valid);
}

TEST_F(Ra, AsksTheCaAgainThatWantsMoreTime) {
  start("", "check_after = \"1h\"\n", "",
        "waiting = \"always\"\napprove = \"one\"\napproval_by_ra = \"none\"\n");
  const auto request = with_mac(ra(), ir(key_), explicitly());
  const auto tid = *read(request).header.transactionID;
  EXPECT_THAT(ra().ask_all(request), IsEmpty());
  EXPECT_THAT(ra().carry(), IsEmpty());
  EXPECT_THAT(ra().tick(), IsEmpty());
  EXPECT_THAT(ra().up, IsEmpty());
  ra().clock.advance(61min);
  EXPECT_THAT(ra().tick(), IsEmpty());
  ASSERT_THAT(ra().up, SizeIs(1));
  EXPECT_EQ(body_name(read(ra().up.front()).body), "pollReq");
  EXPECT_THAT(ra().carry(), IsEmpty());  // pollRep
  ca().say(tid, true);
  ca().work();
  ra().clock.advance(24h);
  EXPECT_THAT(ra().tick(), IsEmpty());
  const auto answer = RaOffice::only(ra().carry());
  const auto certificate = certificate_in(answer);
  EXPECT_EQ(answer.header.recipNonce, read(request).header.senderNonce);
  const auto conf = with_mac(ra(), cert_conf(certificate), following(answer));
  EXPECT_EQ(body_name(ra().through(conf).body), "pkiconf");
}

TEST_F(Ra, PollsGoOnWhereTheMessagesAreNotOurs) {
  start_with_vendor("forward");
  const auto device = vendor_device();
  ca().configure("trusted_subject = \"any\"\nwaiting = \"always\"\napprove = \"one\"\n");
  const auto interim = ra().through(signed_by(ca(), device, ir(device, "CN=V1"), explicitly()));
  EXPECT_EQ(status_in(interim).status, PKIStatus::waiting);
  const auto told = ra().through(signed_by(ca(), device, poll_req(0), following(interim)));
  EXPECT_EQ(body_name(told.body), "pollRep");
  ca().say(*interim.header.transactionID, true);
  ca().work();
  const auto answer = ra().through(signed_by(ca(), device, poll_req(0), following(told)));
  const auto conf = signed_by(ca(), device, cert_conf(certificate_in(answer)), following(answer));
  EXPECT_EQ(body_name(ra().through(conf).body), "pkiconf");
}

TEST_F(Ra, RevocationIsNotedWhenTheCaHasRevoked) {
  start();
  Credential device;
  device.certificate = certificate_in(ra().through(with_mac(ra(), ir(device))));
  const auto answer = ra().through(signed_by(ra(), device, revocation(*device.certificate)));
  EXPECT_EQ(body_name(answer.body), "rp");
  EXPECT_EQ(status_in(answer).status, PKIStatus::accepted);
  EXPECT_EQ(ca().record(*device.certificate)->state, CertificateState::revoked);
  EXPECT_EQ(ra().record(*device.certificate)->state, CertificateState::revoked);
  // Whoever is revoked is believed no more, here as well.
  const auto kur = signed_by(ra(), device, body::kur{{cert_request(key_, "CN=dev1")}});
  EXPECT_THAT(RaOffice::only(ra().ask_all(kur)), Refuses("error", PKIFailureInfo::certRevoked));
}

TEST_F(Ra, NobodyRevokesTheCertificateOfAnother) {
  start();
  Credential device, other;
  device.certificate = certificate_in(ra().through(with_mac(ra(), ir(device))));
  other.certificate = certificate_in(ra().through(with_mac(ra(), ir(other, "CN=dev2"))));
  const auto answer =
      RaOffice::only(ra().ask_all(signed_by(ra(), device, revocation(*other.certificate))));
  EXPECT_THAT(answer, Refuses("rp", PKIFailureInfo::notAuthorized));
  EXPECT_THAT(ra().up, IsEmpty());
}

TEST_F(Ra, ConfirmsByItselfWhereTheSettingsSaySo) {
  start("confirm = \"local\"\n");
  const auto answer = ra().through(with_mac(ra(), ir(key_), explicitly()));
  EXPECT_EQ(find(answer.header.generalInfo, oid::id_it_implicitConfirm), nullptr);
  const auto certificate = certificate_in(answer);
  EXPECT_EQ(ca().record(certificate)->state, CertificateState::valid);
  const auto conf = with_mac(ra(), cert_conf(certificate), following(answer));
  EXPECT_EQ(body_name(RaOffice::only(ra().ask_all(conf)).body), "pkiconf");
  EXPECT_THAT(ra().up, IsEmpty());
  EXPECT_EQ(ra().record(certificate)->state, CertificateState::valid);
}

TEST_F(Ra, RefusedCertificateIsRevokedOnBehalfOfItsRequester) {
  start("confirm = \"local\"\n");
  const auto answer = ra().through(with_mac(ra(), ir(key_), explicitly()));
  const auto certificate = certificate_in(answer);
  auto conf = cert_conf(certificate);
  PKIStatusInfo no;
  no.status = PKIStatus::rejection;
  std::get<body::certConf>(conf).statuses.at(0).statusInfo = no;
  EXPECT_EQ(body_name(RaOffice::only(ra().ask_all(with_mac(ra(), conf, following(answer)))).body),
            "pkiconf");
  EXPECT_THAT(ra().carry(), IsEmpty());
  EXPECT_THAT(ra().held(), IsEmpty());
  EXPECT_EQ(ca().record(certificate)->state, CertificateState::revoked);
}

TEST_F(Ra, SilentRequesterIsRefusedAtTheCa) {
  start("", "", "confirm_within = \"1h\"\n");
  const auto answer = ra().through(with_mac(ra(), ir(key_), explicitly()));
  EXPECT_THAT(ra().tick(), IsEmpty());
  ra().clock.advance(2h);
  EXPECT_THAT(ra().tick(), IsEmpty());
  ra().tick();
  EXPECT_THAT(ra().carry(), IsEmpty());
  EXPECT_EQ(ca().record(certificate_in(answer))->state, CertificateState::revoked);
}

//
TEST_F(Ra, CollectsABatch) {
  start("mode = \"batch\"\n", "batch_within = \"1h\"\n");
  Credential keys[3];
  std::vector<Bytes> requests;
  for (int i = 0; i < 3; ++i) {
    requests.push_back(with_mac(ra(), ir(keys[i], "CN=dev" + std::to_string(i))));
    EXPECT_THAT(ra().ask_all(requests.back()), IsEmpty());
  }
  EXPECT_THAT(ra().tick(), IsEmpty());
  EXPECT_THAT(ra().up, IsEmpty());
  ra().clock.advance(61min);
  ra().tick();
  ASSERT_THAT(ra().up, SizeIs(1));
  EXPECT_THAT(std::get<body::nested>(read(ra().up.front()).body).messages, SizeIs(3));
  const auto answers = ra().carry();
  EXPECT_THAT(ra().held(), IsEmpty());
  ASSERT_THAT(answers, SizeIs(3));
  for (const auto& one : answers) EXPECT_EQ(body_name(read(one).body), "ip");
  EXPECT_THAT(ra().issued(), SizeIs(3));
}

TEST_F(Ra, WhoIsMissingInTheAnswersToABatchHearsSo) {
  start("mode = \"batch\"\n", "batch_within = \"0s\"\n");
  Credential keys[2];
  EXPECT_THAT(ra().ask_all(with_mac(ra(), ir(keys[0]))), IsEmpty());
  EXPECT_THAT(ra().ask_all(with_mac(ra(), ir(keys[1], "CN=dev2"))), IsEmpty());
  ra().tick();
  auto whole = read(ra().above_answers().at(0));
  auto& members = std::get<body::nested>(whole.body).messages;
  ASSERT_THAT(members, SizeIs(2));
  members.pop_back();
  const auto& identity = ca().authority->identity;
  const auto der =
      must(protect_with_signature(whole.header, whole.body, identity.signer, identity.chain));
  const auto down = ra().hear(der);
  ASSERT_THAT(down, SizeIs(2));
  std::vector<std::string> bodies = {std::string(body_name(read(down[0]).body)),
                                     std::string(body_name(read(down[1]).body))};
  EXPECT_THAT(bodies, ::testing::UnorderedElementsAre("ip", "error"));
}

TEST_F(Ra, UsesASecretWhereTheCaWantsThat) {
  start("", "secret = \"for-ra\"\n", "");
  Secret shared;
  shared.reference = "for-ra";
  shared.value = to_bytes(std::string_view("between the two"));
  shared.subject = "CN=dev*";
  ra().add(shared);
  ca().add(shared);
  const auto answer = ra().through(with_mac(ra(), ir(key_)));
  EXPECT_EQ(certificate_in(answer).subject(), name("CN=dev1"));
  EXPECT_THAT(verify_mac_protection(answer, view_of(CaUnderTest::kSecret), {}), IsOk());
}

// A crash between the two commits.
TEST_F(Ra, WhatIsStoredAndInNoQueueLeavesAllTheSame) {
  start();
  const auto decision = ra().decide(with_mac(ra(), ir(key_)));
  EXPECT_TRUE(ra().commit(decision));
  EXPECT_THAT(ra().settle(), IsEmpty());
  EXPECT_THAT(ra().up, IsEmpty());
  EXPECT_THAT(ra().tick(), IsEmpty());
  EXPECT_THAT(ra().up, SizeIs(1));
  EXPECT_THAT(ra().carry(), SizeIs(1));
}

}  // namespace
}  // namespace cmpost
