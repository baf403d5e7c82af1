#include "tests/processor/messages.h"

namespace cmpost {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using std::chrono::hours;

MessageOptions waiting() { return {.implicit_confirm = false}; }

TEST(Transaction, SameOctetsAgainGetTheSameAnswerAndNoSecondCertificate) {
  CaUnderTest ca;
  const auto request = with_mac(ca, ir(Credential()));
  const auto first = ca.exchange(request);
  ca.clock.advance(hours(100));
  ca.open();
  EXPECT_EQ(ca.exchange(request), first);
  EXPECT_EQ(ca.certificates(), 1);
}

TEST(Transaction, RefusedRequestIsAnsweredTheSameWayAgain) {
  CaUnderTest ca;
  const auto request = with_mac(ca, ir(Credential(), "CN=server"));
  EXPECT_EQ(ca.exchange(request), ca.exchange(request));
}

TEST(Transaction, AnotherMessageUnderAUsedTransactionIdIsRefused) {
  CaUnderTest ca;
  const auto answer = ca.ask(with_mac(ca, ir(Credential())));
  const MessageOptions same_tid{
      .edit = [&](PKIHeader& header) { header.transactionID = answer.header.transactionID; }};
  EXPECT_THAT(ca.ask(with_mac(ca, ir(Credential()), same_tid)),
              Refuses("error", PKIFailureInfo::transactionIdInUse));
  EXPECT_EQ(ca.certificates(), 1);
}

TEST(Transaction, StrictChannelRefusesTheSameOctetsToo) {
  CaUnderTest ca("strict = true\n");
  const auto request = with_mac(ca, ir(Credential()));
  ca.exchange(request);
  EXPECT_THAT(ca.ask(request), Refuses("error", PKIFailureInfo::transactionIdInUse));
}

TEST(Transaction, TwoPlansForOneTransactionIdTakeEffectOnce) {
  CaUnderTest ca;
  const auto request = with_mac(ca, ir(Credential()));
  const auto one = ca.decide(request);
  const auto two = ca.decide(request);
  EXPECT_TRUE(ca.commit(one));
  EXPECT_FALSE(ca.commit(two));
  EXPECT_EQ(ca.certificates(), 1);
}

TEST(Confirmation, CertConfAfterARestartMakesTheCertificateValid) {
  CaUnderTest ca;
  const auto answer = ca.ask(with_mac(ca, ir(Credential()), waiting()));
  const auto certificate = certificate_in(answer);
  EXPECT_EQ(ca.record(certificate)->state, CertificateState::unconfirmed);
  ca.open();
  const auto request = with_mac(ca, cert_conf(certificate), following(answer));
  const auto pkiconf = ca.exchange(request);
  EXPECT_EQ(body_name(decode(pkiconf)->body), "pkiconf");
  EXPECT_EQ(ca.record(certificate)->state, CertificateState::valid);
  EXPECT_EQ(ca.exchange(request), pkiconf) << "the stored answer again (R-126)";
}

TEST(Confirmation, WrongHashIsABadCertIdAndTheCertificateIsWithdrawn) {
  CaUnderTest ca;
  const auto answer = ca.ask(with_mac(ca, ir(Credential()), waiting()));
  auto body = cert_conf(certificate_in(answer));
  std::get<body::certConf>(body).statuses[0].certHash[0] ^= 1;
  EXPECT_THAT(ca.ask(with_mac(ca, body, following(answer))),
              Refuses("error", PKIFailureInfo::badCertId));
  EXPECT_EQ(ca.record(certificate_in(answer))->state, CertificateState::revoked);
}

TEST(Confirmation, RefusalByTheRequesterIsConfirmedAndRevokes) {
  CaUnderTest ca;
  const auto answer = ca.ask(with_mac(ca, ir(Credential()), waiting()));
  auto body = cert_conf(certificate_in(answer));
  std::get<body::certConf>(body).statuses[0].statusInfo =
      status_info({PKIFailureInfo::badCertTemplate, "not what I wanted"});
  EXPECT_EQ(body_name(ca.ask(with_mac(ca, body, following(answer))).body), "pkiconf");
  EXPECT_EQ(ca.record(certificate_in(answer))->state, CertificateState::revoked);
}

TEST(Confirmation, UnfitCertConfLeavesTheTransactionOpen) {
  CaUnderTest ca;
  const auto answer = ca.ask(with_mac(ca, ir(Credential()), waiting()));
  const auto certificate = certificate_in(answer);
  auto wrong_nonce = following(answer);
  wrong_nonce.edit = [&](PKIHeader& header) {
    header.transactionID = answer.header.transactionID;
    header.recipNonce = Bytes(16, 7);
  };
  EXPECT_THAT(ca.ask(with_mac(ca, cert_conf(certificate), wrong_nonce)),
              Refuses("error", PKIFailureInfo::badRecipientNonce));
  EXPECT_THAT(ca.ask(with_mac(ca, cert_conf(certificate, 1), following(answer))),
              Refuses("error", PKIFailureInfo::badRequest));
  const auto device = enrolled(ca);
  EXPECT_THAT(ca.ask(signed_by(ca, device, cert_conf(certificate), following(answer))),
              Refuses("error", PKIFailureInfo::wrongIntegrity));
  EXPECT_THAT(ca.ask(with_mac(ca, cert_conf(certificate), following(answer), "guessed")),
              Refuses("error", PKIFailureInfo::badMessageCheck));
  EXPECT_EQ(body_name(ca.ask(with_mac(ca, cert_conf(certificate), following(answer))).body),
            "pkiconf");
}

TEST(Confirmation, HashAlgNeedsTheNewVersion) {
  CaUnderTest ca;
  const auto answer = ca.ask(with_mac(ca, ir(Credential()), waiting()));
  auto body = cert_conf(certificate_in(answer));
  auto& status = std::get<body::certConf>(body).statuses[0];
  status.hashAlg = AlgorithmIdentifier{oid::id_sha512, std::nullopt};
  status.certHash = cert_hash(certificate_in(answer), status.hashAlg).value();
  EXPECT_THAT(ca.ask(with_mac(ca, body, following(answer))),
              Refuses("error", PKIFailureInfo::badRequest));
  auto newer = following(answer);
  newer.edit = [edit = newer.edit](PKIHeader& header) {
    edit(header);
    header.pvno = kCmp2021;  // certConf alone may step up
  };
  EXPECT_EQ(body_name(ca.ask(with_mac(ca, body, newer)).body), "pkiconf");
}

TEST(Confirmation, HashAlgIsOneWithoutKnownCollisions) {
  for (const auto& [algorithm, taken] :
       std::vector<std::pair<Oid, bool>>{{oid::id_sha1, false},  // collisions are known (RFC 6194)
                                         {Oid("1.2.840.113549.2.5"), false},  // MD5
                                         {oid::id_sha256, true},
                                         {oid::id_sha384, true},
                                         {oid::id_sha3_256, true}}) {
    CaUnderTest ca;
    const auto answer = ca.ask(with_mac(ca, ir(Credential()), waiting()));
    auto body = cert_conf(certificate_in(answer));
    auto& status = std::get<body::certConf>(body).statuses[0];
    status.hashAlg = AlgorithmIdentifier{algorithm, std::nullopt};
    const auto digest = digest_by_oid(algorithm);
    if (digest) status.certHash = hash(*digest, certificate_in(answer).der());
    auto newer = following(answer);
    newer.edit = [edit = newer.edit](PKIHeader& header) {
      edit(header);
      header.pvno = kCmp2021;
    };
    const auto end = ca.ask(with_mac(ca, body, newer));
    if (taken) {
      EXPECT_EQ(body_name(end.body), "pkiconf") << algorithm.name();
    } else {
      EXPECT_THAT(end, Refuses("error", PKIFailureInfo::badAlg)) << algorithm.name();
      EXPECT_EQ(ca.record(certificate_in(answer))->state, CertificateState::unconfirmed);
    }
  }
}

TEST(Confirmation, CertConfOfNoOpenTransactionIsABadRequest) {
  CaUnderTest ca("out_of_order = \"0\"\n");
  const auto device = enrolled(ca);
  EXPECT_THAT(ca.ask(with_mac(ca, cert_conf(*device.certificate))),
              Refuses("error", PKIFailureInfo::badRequest));
}

TEST(ErrorMessage, OfTheRequesterEndsItsTransaction) {
  CaUnderTest ca;
  const auto answer = ca.ask(with_mac(ca, ir(Credential()), waiting()));
  const PKIBody error = body::error{{status_info({PKIFailureInfo::badAlg, "no"}), {}, {}}};
  EXPECT_EQ(body_name(ca.ask(with_mac(ca, error, following(answer))).body), "pkiconf");
  EXPECT_EQ(ca.record(certificate_in(answer))->state, CertificateState::revoked);
}

TEST(ErrorMessage, OfAStrangerIsNotAnsweredAndChangesNothing) {
  CaUnderTest ca;
  const auto answer = ca.ask(with_mac(ca, ir(Credential()), waiting()));
  const PKIBody error = body::error{{status_info({PKIFailureInfo::badAlg, "no"}), {}, {}}};
  EXPECT_TRUE(ca.exchange(with_mac(ca, error, following(answer), "guessed")).empty());
  EXPECT_EQ(ca.record(certificate_in(answer))->state, CertificateState::unconfirmed);
}

TEST(Renewal, KeepsTheSubjectAndRetiresTheOldCertificate) {
  CaUnderTest ca;
  const auto device = enrolled(ca);
  const auto kup =
      ca.ask(signed_by(ca, device, body::kur{{cert_request(Credential(), "CN=dev1")}}));
  EXPECT_EQ(body_name(kup.body), "kup");
  EXPECT_EQ(certificate_in(kup).subject(), name("CN=dev1"));
  EXPECT_EQ(ca.record(*device.certificate)->state, CertificateState::updated);
  const auto again =
      ca.ask(signed_by(ca, device, body::kur{{cert_request(Credential(), "CN=dev1")}}));
  EXPECT_EQ(status_in(again).status, PKIStatus::accepted);
  EXPECT_THAT(status_in(again).statusString, ElementsAre(HasSubstr("renewed before")));
}

// What can be mended ends nothing.
TEST(Confirmation, AHashAlgorithmThatThisVersionHasNotRevokesNothing) {
  CaUnderTest ca("strict = true\n");
  const auto answer = ca.ask(with_mac(ca, ir(Credential()), waiting()));
  const auto certificate = certificate_in(answer);
  auto conf = cert_conf(certificate);
  std::get<body::certConf>(conf).statuses[0].hashAlg =
      AlgorithmIdentifier{oid::id_sha512, std::nullopt};
  EXPECT_THAT(ca.ask(with_mac(ca, conf, following(answer))),
              Refuses("error", PKIFailureInfo::badCertId));
  EXPECT_EQ(ca.record(certificate)->state, CertificateState::unconfirmed);
  EXPECT_EQ(body_name(ca.ask(with_mac(ca, cert_conf(certificate), following(answer))).body),
            "pkiconf");
}

TEST(Renewal, OldCertificateStaysUntilTheNewOneIsConfirmed) {
  CaUnderTest ca;
  const auto device = enrolled(ca);
  const auto kur = [&] { return PKIBody(body::kur{{cert_request(Credential(), "CN=dev1")}}); };
  const auto kup = ca.ask(signed_by(ca, device, kur(), waiting()));
  EXPECT_EQ(ca.record(*device.certificate)->state, CertificateState::valid);
  EXPECT_THAT(ca.ask(signed_by(ca, device, kur(), waiting())),
              Refuses("kup", PKIFailureInfo::badRequest));
  ca.ask(signed_by(ca, device, cert_conf(certificate_in(kup)), following(kup)));
  EXPECT_EQ(ca.record(*device.certificate)->state, CertificateState::updated);
}

TEST(Renewal, FaultsAreNamed) {
  CaUnderTest ca;
  const auto device = enrolled(ca);
  EXPECT_THAT(ca.ask(with_mac(ca, body::kur{{cert_request(Credential(), "CN=dev1")}})),
              Refuses("error", PKIFailureInfo::wrongIntegrity));
  EXPECT_THAT(ca.ask(signed_by(ca, device, body::kur{{cert_request(Credential(), "CN=dev2")}})),
              Refuses("kup", PKIFailureInfo::badCertTemplate));
  auto request = cert_request(Credential(), "CN=dev1");
  der::Writer id;
  write(id, CertId{GeneralName::of(name("CN=Test CA")), Bytes{0x11}});
  request.certReq.controls = Controls{{oid::id_regCtrl_oldCertID, id.bytes()}};
  EXPECT_THAT(ca.ask(signed_by(ca, device, body::kur{{request}})),
              Refuses("kup", PKIFailureInfo::badCertId));
}

PKIBody rr(const Certificate& certificate, std::optional<int> reason = 1) {
  auto details = details_of(certificate);
  if (reason) {
    details.crlEntryDetails = Extensions{
        {oid::id_ce_cRLReasons, false, Bytes{0x0a, 1, static_cast<std::uint8_t>(*reason)}}};
  }
  return body::rr{{details}};
}

TEST(Revocation, OfTheOwnCertificateIsGrantedOnce) {
  CaUnderTest ca;
  const auto device = enrolled(ca);
  const auto rp = ca.ask(signed_by(ca, device, rr(*device.certificate)));
  EXPECT_EQ(status_in(rp).status, PKIStatus::accepted);
  const auto record = ca.record(*device.certificate);
  EXPECT_EQ(record->state, CertificateState::revoked);
  EXPECT_EQ(record->reason, CRLReason::keyCompromise);
  EXPECT_THAT(ca.ask(signed_by(ca, device, rr(*device.certificate))),
              Refuses("error", PKIFailureInfo::certRevoked))
      << "its signer is revoked";
}

TEST(Revocation, OfOthersIsForAnRaOnly) {
  CaUnderTest ca;
  const auto device = enrolled(ca), other = enrolled(ca, "CN=dev2");
  EXPECT_THAT(ca.ask(signed_by(ca, other, rr(*device.certificate))),
              Refuses("rp", PKIFailureInfo::notAuthorized));
  Credential ra;
  ca.ra_root.certify(ra, "CN=RA", ca.clock.now(), ca.random);
  EXPECT_EQ(status_in(ca.ask(signed_by(ca, ra, rr(*device.certificate)))).status,
            PKIStatus::accepted);
  EXPECT_THAT(ca.ask(signed_by(ca, ra, rr(*device.certificate))),
              Refuses("rp", PKIFailureInfo::certRevoked));
}

TEST(Revocation, HoldIsReleasedByRemoveFromCrlOnly) {
  CaUnderTest ca;
  const auto device = enrolled(ca);
  Credential ra;
  ca.ra_root.certify(ra, "CN=RA", ca.clock.now(), ca.random);
  EXPECT_THAT(ca.ask(signed_by(ca, ra, rr(*device.certificate, 8))),
              Refuses("rp", PKIFailureInfo::badCertId))
      << "not on hold";
  ca.ask(signed_by(ca, ra, rr(*device.certificate, 6)));
  EXPECT_EQ(ca.record(*device.certificate)->state, CertificateState::held);
  EXPECT_EQ(status_in(ca.ask(signed_by(ca, ra, rr(*device.certificate, 8)))).status,
            PKIStatus::accepted);
  EXPECT_EQ(ca.record(*device.certificate)->state, CertificateState::valid);
}

TEST(Revocation, IsNotSinceADayToCome) {
  CaUnderTest ca;
  const auto device = enrolled(ca);
  const auto since = [&](Time date) {
    auto body = rr(*device.certificate);
    der::Writer value;
    value.generalized_time(date);
    std::get<body::rr>(body).details[0].crlEntryDetails->push_back(
        {oid::id_ce_invalidityDate, false, to_bytes(value.bytes())});
    return body;
  };
  const auto now = std::chrono::floor<std::chrono::seconds>(ca.clock.now());
  for (const auto ahead : {std::chrono::hours(1), std::chrono::hours(24 * 400)}) {
    EXPECT_THAT(ca.ask(signed_by(ca, device, since(now + ahead))),
                Refuses("rp", PKIFailureInfo::badRequest));
  }
  EXPECT_EQ(ca.record(*device.certificate)->state, CertificateState::valid);
  auto twice = since(now);
  auto& extensions = *std::get<body::rr>(twice).details[0].crlEntryDetails;
  extensions.push_back(extensions.back());
  EXPECT_THAT(ca.ask(signed_by(ca, device, twice)), Refuses("rp", PKIFailureInfo::badRequest));
  // A key that was made before its certificate may have been lost before it, too.
  const auto before = now - std::chrono::hours(24 * 30);
  EXPECT_EQ(status_in(ca.ask(signed_by(ca, device, since(before)))).status, PKIStatus::accepted);
  EXPECT_EQ(ca.record(*device.certificate)->invalidity_date, before);
}

TEST(Revocation, FaultsAreNamed) {
  CaUnderTest ca;
  const auto device = enrolled(ca);
  EXPECT_THAT(ca.ask(with_mac(ca, rr(*device.certificate))),
              Refuses("error", PKIFailureInfo::wrongIntegrity));
  EXPECT_THAT(ca.ask(signed_by(ca, device, rr(*device.certificate, 7))),
              Refuses("rp", PKIFailureInfo::badDataFormat));
  EXPECT_THAT(ca.ask(signed_by(ca, device, rr(ca.vendor.certificate))),
              Refuses("rp", PKIFailureInfo::badCertId));
  auto nameless = rr(*device.certificate);
  std::get<body::rr>(nameless).details[0].certDetails.issuer.reset();
  EXPECT_THAT(ca.ask(signed_by(ca, device, nameless)),
              Refuses("rp", PKIFailureInfo::addInfoNotAvailable));
  EXPECT_EQ(ca.record(*device.certificate)->state, CertificateState::valid);
  EXPECT_EQ(status_in(ca.ask(signed_by(ca, device, rr(*device.certificate, std::nullopt)))).status,
            PKIStatus::accepted)
      << "no reason is a reason when lax (R-192)";
}

}  // namespace
}  // namespace cmpost
