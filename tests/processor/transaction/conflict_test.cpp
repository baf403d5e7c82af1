// Answers that exclude each other: each request gets one, and nothing is tried for ever.
#include "processor/transaction/conflict.h"

#include "cmp/kem_ciphertext_info.h"
#include "tests/processor/keys.h"
#include "tests/processor/office.h"

namespace cmpost {
namespace {

using ::testing::Contains;
using ::testing::Field;
using ::testing::SizeIs;

PKIBody kur(const Credential& next) { return body::kur{{cert_request(next, "CN=dev1")}}; }

struct ConflictTest : ::testing::Test {
  void start(const std::string& settings = "") {
    office_ = std::make_unique<Office>(settings);
    ca().ra_root.certify(ra_, "CN=RA", ca().clock.now(), ca().random);
  }
  Office& ca() { return *office_; }

  static MessageOptions explicitly() { return {.implicit_confirm = false}; }
  Bytes by_ra(const PKIBody& body, const MessageOptions& options = {}) {
    return signed_by(ca(), ra_, body, options);
  }
  Bytes batch(std::vector<Bytes> members) {
    return by_ra(body::nested{std::move(members)}, explicitly());
  }
  std::vector<PKIMessage> answers_to(std::vector<Bytes> members) {
    std::vector<PKIMessage> all;
    const auto answer = ca().talk(batch(std::move(members)));
    const auto* nested = std::get_if<body::nested>(&answer.body);
    EXPECT_NE(nested, nullptr) << body_name(answer.body);
    if (nested == nullptr) return all;
    for (const auto& der : nested->messages) all.push_back(decode(der).value());
    return all;
  }
  void add_secret(std::string_view reference, std::int64_t uses) {
    Secret secret;
    secret.reference = reference;
    secret.value = to_bytes(std::string_view(CaUnderTest::kSecret));
    secret.max_uses = uses;
    ca().add(secret);
  }
  Bytes once(const PKIBody& body) { return with_mac(ca(), body, {}, CaUnderTest::kSecret, "once"); }
  CertificateState state(const Certificate& certificate) { return ca().record(certificate)->state; }
  // A transaction that waits for its certConf: the answer that is to be confirmed.
  PKIMessage unconfirmed() { return ca().talk(with_mac(ca(), ir(Credential()), explicitly())); }
  void revoke(const Certificate& certificate, CRLReason reason = CRLReason::keyCompromise) {
    EXPECT_EQ(status_in(ca().talk(by_ra(revocation(certificate, reason)))).status,
              PKIStatus::accepted);
  }
  bool audit_is_whole() { return must(ca().ledger->verify_audit()) == std::nullopt; }

  std::unique_ptr<Office> office_;
  Credential ra_;
};

using CertConfConflict = ConflictTest;
using BatchConflict = ConflictTest;
using GroupConflict = ConflictTest;

TEST_F(CertConfConflict, OfARevokedCertificateIsCertRevokedAndEndsTheTransaction) {
  for (const auto reason : {CRLReason::keyCompromise, CRLReason::certificateHold}) {
    start();
    const auto answer = unconfirmed();
    const auto certificate = certificate_in(answer);
    revoke(certificate, reason);
    const auto conf = with_mac(ca(), cert_conf(certificate), following(answer));
    const auto end = ca().post(conf);
    EXPECT_THAT(Office::only(end), Refuses("error", PKIFailureInfo::certRevoked));
    EXPECT_EQ(ca().transaction(*answer.header.transactionID).state, TransactionState::closed);
    EXPECT_EQ(state(certificate), CertificateState::revoked)
        << "who was told so does not use it, also when the hold is lifted";
    EXPECT_EQ(ca().post(conf), end) << "the same octets again";
  }
}

TEST_F(CertConfConflict, RefusalOfARevokedCertificateIsConfirmed) {
  for (const auto reason : {CRLReason::keyCompromise, CRLReason::certificateHold}) {
    start();
    const auto answer = unconfirmed();
    const auto certificate = certificate_in(answer);
    revoke(certificate, reason);
    const auto end = ca().talk(with_mac(ca(), body::certConf{}, following(answer)));
    EXPECT_EQ(body_name(end.body), "pkiconf");
    EXPECT_EQ(state(certificate), CertificateState::revoked);
    EXPECT_EQ(ca().transaction(*answer.header.transactionID).state, TransactionState::closed);
  }
}

TEST_F(CertConfConflict, RevocationInTheSameGroupCountsFirst) {
  start();
  const auto answer = unconfirmed();
  const auto certificate = certificate_in(answer);
  ca().put(by_ra(revocation(certificate)), "rr");
  ca().put(with_mac(ca(), cert_conf(certificate), following(answer)), "certConf");
  const auto totals = ca().work();
  EXPECT_EQ(totals.answered, 2U);
  EXPECT_EQ(totals.contested, 1U);
  EXPECT_THAT(ca().sent(), SizeIs(2));
  EXPECT_EQ(state(certificate), CertificateState::revoked);
  EXPECT_EQ(ca().transaction(*answer.header.transactionID).state, TransactionState::closed);
}

TEST_F(CertConfConflict, SilenceKeepsNothingThatWasRevoked) {
  start("unconfirmed = \"keep\"\nconfirm_within = \"1d\"\n");
  const auto answer = unconfirmed();
  const auto certificate = certificate_in(answer);
  revoke(certificate);
  ca().timers();
  ca().clock.advance(std::chrono::hours(48));
  ca().timers();
  EXPECT_EQ(ca().transaction(*answer.header.transactionID).state, TransactionState::closed);
  EXPECT_EQ(state(certificate), CertificateState::revoked);
}

TEST_F(CertConfConflict, OldCertificateThatWasRevokedStaysSo) {
  start("unconfirmed = \"keep\"\nconfirm_within = \"1d\"\n");
  const auto device = enrolled(ca());
  const Credential next;
  const auto answer = ca().talk(signed_by(ca(), device, kur(next), explicitly()));
  revoke(*device.certificate);
  ca().timers();
  ca().clock.advance(std::chrono::hours(48));
  ca().timers();
  EXPECT_EQ(ca().transaction(*answer.header.transactionID).state, TransactionState::closed);
  EXPECT_EQ(state(*device.certificate), CertificateState::revoked);
  EXPECT_EQ(state(certificate_in(answer)), CertificateState::valid);
}

TEST_F(GroupConflict, OfTwoRevocationsTheSecondIsRefused) {
  start();
  const auto device = enrolled(ca());
  for (int i = 0; i < 3; ++i) ca().put(by_ra(revocation(*device.certificate)));
  EXPECT_EQ(ca().work().refused, 2U);
  EXPECT_THAT(ca().sent(), SizeIs(3));
}

TEST_F(GroupConflict, TokenTwiceInAMessageIsGoodForTheFirst) {
  start();
  ProfileSettings several;
  several.name = "several";
  several.keys = {{KeyRule::Kind::ec, "P-256", 0, 0}};
  several.max_requests = 2;
  auto& profiles = ca().channels.at("drop").profiles;
  profiles.insert(profiles.begin(), must(Profile::create(several)));
  Secret token;
  token.purpose = SecretPurpose::regToken;
  token.reference = "dev1";
  token.value = to_bytes(std::string_view("mother's maiden name"));
  token.max_uses = 1;
  ca().add(token);
  der::Writer text;
  text.utf8_string("mother's maiden name");
  const auto control = Controls{{oid::id_regCtrl_regToken, std::move(text).take()}};
  const auto part = [&](std::int64_t certReqId) {
    const Credential device;
    CertReqMsg message;
    message.certReq.certReqId = certReqId;
    message.certReq.certTemplate.subject = name("CN=dev1");
    message.certReq.certTemplate.publicKey = spki_of(device.key.public_key());
    message.certReq.controls = control;
    message.certReq.der = encode(message.certReq);
    POPOSigningKey popo;
    popo.algorithmIdentifier = device.signer.algorithm();
    popo.signature = must(device.signer.sign(message.certReq.der));
    message.popo = std::move(popo);
    return message;
  };
  const auto answer = ca().talk(with_mac(ca(), body::ir{{part(0), part(1)}}));
  const auto* response = cert_response(answer.body);
  ASSERT_NE(response, nullptr);
  ASSERT_THAT(response->response, SizeIs(2));
  EXPECT_EQ(response->response[0].status.status, PKIStatus::accepted);
  EXPECT_EQ(response->response[1].status.failInfo,
            std::uint64_t{1} << static_cast<int>(PKIFailureInfo::notAuthorized));
}

TEST_F(BatchConflict, OneTimeSecretIsGoodForTheFirst) {
  start();
  add_secret("once", 1);
  const auto answers =
      answers_to({once(ir(Credential())), once(ir(Credential())), once(ir(Credential()))});
  ASSERT_THAT(answers, SizeIs(3));
  EXPECT_EQ(status_in(answers[0]).status, PKIStatus::accepted);
  EXPECT_THAT(answers[1], Refuses("error", PKIFailureInfo::notAuthorized));
  EXPECT_THAT(answers[2], Refuses("error", PKIFailureInfo::notAuthorized));
  EXPECT_EQ(ca().certificates(), 1);
  EXPECT_TRUE(audit_is_whole());
}

TEST_F(BatchConflict, OfTwoRenewalsTheFirstIsGranted) {
  start();
  const auto device = enrolled(ca());
  const Credential one, two;
  const auto answers = answers_to({signed_by(ca(), device, kur(one), explicitly()),
                                   signed_by(ca(), device, kur(two), explicitly())});
  ASSERT_THAT(answers, SizeIs(2));
  EXPECT_EQ(status_in(answers[0]).status, PKIStatus::accepted);
  EXPECT_THAT(answers[1], Refuses("kup", PKIFailureInfo::badRequest));
}

TEST_F(BatchConflict, OfTwoRevocationsTheFirstIsGranted) {
  for (const auto reason : {CRLReason::keyCompromise, CRLReason::certificateHold}) {
    start();
    const auto device = enrolled(ca());
    const auto answers = answers_to({by_ra(revocation(*device.certificate, reason)),
                                     with_mac(ca(), ir(Credential())),
                                     by_ra(revocation(*device.certificate, reason))});
    ASSERT_THAT(answers, SizeIs(3));
    EXPECT_EQ(status_in(answers[0]).status, PKIStatus::accepted);
    EXPECT_EQ(status_in(answers[1]).status, PKIStatus::accepted);
    EXPECT_THAT(answers[2], Refuses("rp", PKIFailureInfo::certRevoked));
    EXPECT_TRUE(audit_is_whole());
  }
}

TEST_F(BatchConflict, OfTwoReleasesTheFirstIsGranted) {
  start();
  const auto device = enrolled(ca());
  revoke(*device.certificate, CRLReason::certificateHold);
  const auto release = [&] {
    return by_ra(revocation(*device.certificate, CRLReason::removeFromCRL));
  };
  const auto answers = answers_to({release(), release()});
  ASSERT_THAT(answers, SizeIs(2));
  EXPECT_EQ(status_in(answers[0]).status, PKIStatus::accepted);
  EXPECT_THAT(answers[1], Refuses("rp", PKIFailureInfo::badCertId));
  EXPECT_EQ(state(*device.certificate), CertificateState::valid);
}

TEST_F(BatchConflict, RevocationBeforeCertConfCounts) {
  start();
  const auto answer = unconfirmed();
  const auto certificate = certificate_in(answer);
  const auto answers = answers_to(
      {by_ra(revocation(certificate)), with_mac(ca(), cert_conf(certificate), following(answer))});
  ASSERT_THAT(answers, SizeIs(2));
  EXPECT_EQ(status_in(answers[0]).status, PKIStatus::accepted);
  EXPECT_THAT(answers[1], Refuses("error", PKIFailureInfo::certRevoked));
  EXPECT_EQ(ca().transaction(*answer.header.transactionID).state, TransactionState::closed);
}

// The first to be judged has to see the state before the second.
TEST_F(BatchConflict, RevocationOfWhoRenewsCounts) {
  start();
  const auto device = enrolled(ca());
  const Credential next;
  const auto answers =
      answers_to({by_ra(revocation(*device.certificate)), signed_by(ca(), device, kur(next))});
  ASSERT_THAT(answers, SizeIs(2));
  EXPECT_EQ(status_in(answers[0]).status, PKIStatus::accepted);
  EXPECT_THAT(answers[1], Refuses("error", PKIFailureInfo::certRevoked));
  EXPECT_EQ(ca().certificates(), 1);
}

TEST_F(BatchConflict, ManyThatExcludeEachOtherAmongManyMore) {
  start();
  ca().workers = 4;
  add_secret("once", 2);
  const auto device = enrolled(ca());
  std::vector<Bytes> members;
  for (int i = 0; i < 300; ++i) members.push_back(with_mac(ca(), ir(Credential())));
  for (const int i : {5, 70, 71, 200, 299}) members[i] = once(ir(Credential()));
  for (const int i : {17, 150, 298}) members[i] = by_ra(revocation(*device.certificate));
  const auto message = batch(members);
  ca().put(message, "batch");
  ca().put(with_mac(ca(), ir(Credential())), "alone");
  const auto totals = ca().work();
  EXPECT_EQ(totals.answered, 2U);
  EXPECT_EQ(totals.contested, 1U) << "once for all of them";
  EXPECT_EQ(ca().certificates(), 1 + 300 - 3 - 3 + 1);
  const auto sent = ca().sent();
  ASSERT_THAT(sent, SizeIs(2));
  const auto& whole = sent[0].payload.size() > sent[1].payload.size() ? sent[0] : sent[1];
  EXPECT_EQ(ca().post(message), std::vector<Bytes>{whole.payload}) << "the same octets again";
  EXPECT_TRUE(audit_is_whole());
}

TEST_F(BatchConflict, TwoBatchesThatExcludeEachOther) {
  start();
  add_secret("once", 1);
  ca().put(batch({once(ir(Credential())), with_mac(ca(), ir(Credential()))}), "one");
  ca().put(batch({with_mac(ca(), ir(Credential())), once(ir(Credential()))}), "two");
  EXPECT_EQ(ca().work().answered, 2U);
  EXPECT_THAT(ca().sent(), SizeIs(2));
  EXPECT_EQ(ca().certificates(), 3);
}

TEST_F(BatchConflict, TwoProcessesAtOnceComeToAnEnd) {
  start();
  add_secret("once", 3);
  std::vector<std::jthread> processes;
  for (int batches = 0; batches < 4; ++batches) {
    ca().put(batch({once(ir(Credential())), once(ir(Credential()))}),
             "batch" + std::to_string(batches));
  }
  for (int i = 0; i < 6; ++i) ca().put(once(ir(Credential())), "alone" + std::to_string(i));
  for (int process = 0; process < 2; ++process) {
    processes.emplace_back([this] {
      const auto spool = must(open_spool(
          {.url = "sqlite:spool.db", .base_directory = ca().directory.path()}, ca().clock));
      const auto ledger = must(Ledger::open("sqlite:ledger.db", ca().directory.path(), ca().clock,
                                            {{"processor", kProcessorMigrations},
                                             {"announcement", kAnnouncementMigrations},
                                             {"protection", kProtectionMigrations},
                                             {"device", kDeviceMigrations},
                                             {"rule", kRuleMigrations}}));
      auto processor = must(
          Processor::create(*spool, *ledger, ca().services(), {.workers = 1, .group = 2}, [] {}));
      must(processor->drain({}));
    });
  }
  processes.clear();
  ca().work();
  EXPECT_THAT(ca().sent(), SizeIs(10));
  EXPECT_EQ(ca().certificates(), 3);
  EXPECT_TRUE(audit_is_whole());
}

struct KemConflict : ConflictTest {
  KemConflict() {
    start("protection = [\"rsa\", \"ecdsa\", \"pbm\", \"kem\"]\nconfirm = \"wait\"\n");
    own_ = std::make_unique<AgreedParty>("rsa:2048", ca().ra_root, "CN=CA KEM",
                                         KeyUsageBit::keyEncipherment, ca());
    ca().authority->identity.protocol_keys.push_back(own_->protocol_key());
  }
  static void bring(const Encapsulated& made, PKIHeader& header) {
    header.generalInfo.push_back(
        {oid::id_it_KemCiphertextInfo, encode(KemCiphertextInfo{made.kem, made.ciphertext})});
  }
  Bytes bringing(const Encapsulated& made) {
    return with_mac(ca(), ir(Credential()),
                    {.edit = [&](PKIHeader& header) { bring(made, header); }});
  }
  Encapsulated encapsulated() { return must(encapsulate(own_->key.public_key())); }

  std::unique_ptr<AgreedParty> own_;
};

TEST_F(KemConflict, AnotherCiphertextInATransactionIsRefusedAndItGoesOn) {
  const auto answer = ca().talk(bringing(encapsulated()));
  const auto other = encapsulated();
  auto options = following(answer);
  const auto conf = cert_conf(certificate_in(answer));
  const auto with_another =
      with_mac(ca(), conf, {.implicit_confirm = false, .edit = [&](PKIHeader& header) {
                              options.edit(header);
                              bring(other, header);
                            }});
  EXPECT_THAT(ca().talk(with_another), Refuses("error", PKIFailureInfo::badRequest));
  EXPECT_EQ(body_name(ca().talk(with_mac(ca(), conf, options)).body), "pkiconf");
}

TEST_F(KemConflict, CiphertextTwiceInABatchIsGoodForTheFirst) {
  const auto made = encapsulated();
  const auto answers = answers_to({bringing(made), bringing(made)});
  ASSERT_THAT(answers, SizeIs(2));
  EXPECT_EQ(status_in(answers[0]).status, PKIStatus::accepted);
  EXPECT_THAT(answers[1], Refuses("error", PKIFailureInfo::badMessageCheck));
}

TEST_F(KemConflict, CiphertextOfAMemberRefusesTheBatchThatHasIt) {
  const auto made = encapsulated();
  const auto answer = ca().talk(
      by_ra(body::nested{{bringing(made), bringing(encapsulated())}},
            {.implicit_confirm = false, .edit = [&](PKIHeader& header) { bring(made, header); }}));
  EXPECT_THAT(answer, Refuses("error", PKIFailureInfo::badMessageCheck));
  EXPECT_EQ(ca().certificates(), 0);
}

// What no rule before the commit finds.
TEST_F(ConflictTest, WhatExcludesItselfIsRefusedAndInTheAuditLog) {
  start();
  const auto lease = ca().arrival(with_mac(ca(), ir(Credential())));
  const Conflict conflict{Conflict::What::secret, "dev1"};
  const auto refused = must(refuse_for(conflict, lease, *ca().reader, ca().services()));
  EXPECT_EQ(refused.result, MessageResult::refused);
  EXPECT_TRUE(ca().commit(refused));
  const auto& reply = std::get<Decision::Reply>(refused.what).job;
  EXPECT_THAT(decode(reply.payload).value(), Refuses("error", PKIFailureInfo::notAuthorized));
  EXPECT_THAT(must(ca().reader->audit(0, 1000)),
              Contains(Field(&AuditRecord::event, "request.contested")));
}

// What was undone of it leaves no gap before what the same commit writes next.
TEST_F(ConflictTest, HalfWayLeavesTheAuditLogWhole) {
  start();
  const auto certificate = certificate_in(ca().talk(with_mac(ca(), ir(Credential()))));
  Effects effects;
  for (int i = 0; i < 2; ++i) {
    effects.state_changes.push_back({to_bytes(certificate.serial_number()),
                                     {CertificateState::valid},
                                     CertificateState::updated});
  }
  must(ca().ledger->write([&](LedgerWriter& writer) -> Result<void> {
    ASSIGN_OR_RETURN(const auto conflict, apply(effects, writer, ca().clock.now()));
    EXPECT_TRUE(conflict.has_value());
    return writer.audit("request.contested", "{}");
  }));
  EXPECT_EQ(state(certificate), CertificateState::valid);
  EXPECT_TRUE(audit_is_whole());
}

TEST_F(ConflictTest, WhatNobodyWaitsForIsKeptForAnOperator) {
  start();
  const auto job = resume_job(Bytes(16, 1), Waiting{}, kVerdictGiven);
  const auto kept = must(refuse_for({Conflict::What::waiting, "1"}, {job, 1, ca().clock.now()},
                                    *ca().reader, ca().services()));
  EXPECT_TRUE(std::holds_alternative<Decision::Hold>(kept.what));
}

// Other processes, or this one a moment later, may be luckier.
TEST_F(ConflictTest, WhatCannotBeCommittedIsGivenBack) {
  start();
  ca().put(with_mac(ca(), ir(Credential())));
  const auto other =
      must(open_database("sqlite:ledger.db", ca().directory.path(), OpenMode::read_write));
  must(other->execute("ALTER TABLE message RENAME TO elsewhere"));
  {
    auto processor =
        must(Processor::create(*ca().spool, *ca().ledger, ca().services(), {.workers = 1}, [] {}));
    EXPECT_FALSE(processor->drain({}));
  }
  const auto counts = must(ca().spool->requests().counts());
  EXPECT_EQ(counts.active, 0U);
  EXPECT_EQ(counts.deferred, 1U);
  must(other->execute("ALTER TABLE elsewhere RENAME TO message"));
  ca().clock.advance(std::chrono::seconds(11));
  EXPECT_EQ(ca().work().answered, 1U);
}

TEST(Contest, EndsWhateverLoses) {
  Contest contest;
  contest.times = Contest::kPlansBefore;
  EXPECT_TRUE(contest.is_decided_alone());
  contest.lost = {3};
  EXPECT_FALSE(contest.is_decided_alone()) << "it is a batch";
  EXPECT_TRUE(contest.member_is_decided_late(3));
  EXPECT_FALSE(contest.member_is_decided_late(4));
  contest.times = Contest::kPlansOfABatch;
  EXPECT_TRUE(contest.member_is_decided_late(4));
  contest.whole = Contest::kPlansBefore;
  EXPECT_TRUE(contest.refuses_the_whole());
}

TEST(Conflict, EachHasAWordAndAnAnswerOfItsOwn) {
  for (const auto what :
       {Conflict::What::transactionID, Conflict::What::transaction, Conflict::What::renewal,
        Conflict::What::waiting, Conflict::What::secret, Conflict::What::reg_token,
        Conflict::What::kem_ciphertext, Conflict::What::certificate, Conflict::What::revocation,
        Conflict::What::release}) {
    EXPECT_FALSE(to_string(what).empty());
    EXPECT_NE(rejection_for({what, "x"}).failInfo, PKIFailureInfo::systemFailure);
  }
}

}  // namespace
}  // namespace cmpost
