// An RA whose messages are lost, doubled or crossed on their way, or that dies in between.
#include "processor/transaction/retention.h"
#include "tests/processor/ra_fixture.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RaDisorder : public Ra {
 protected:
  Job from_above(const Bytes& der) {
    auto job = ra().arrival(der).job;
    job.envelope.channel = job.envelope.reply.channel = "vault";
    return job;
  }
  // The process dies when the ledger has what comes of it, and the spool has not; the job is worked
  // on again.
  std::vector<Bytes> die_and_repeat(const Job& job) {
    const Lease lease{job, 1, ra().clock.now()};
    EXPECT_TRUE(ra().commit(must(respond(lease, *ra().reader, ra().services()))));
    must(ra().spool->requests().put({&job, 1}));
    return ra().settle();
  }
  Bytes resigned(const PKIMessage& message) {
    const auto& identity = ca().authority->identity;
    return must(
        protect_with_signature(message.header, message.body, identity.signer, identity.chain));
  }
  static Bytes tid_of(const Bytes& der) { return *read(der).header.transactionID; }
};

// It has not left, so no answer can come.
TEST_F(RaDisorder, RequesterHearsOfWhatAPersonHasDroppedOnItsWayUp) {
  start();
  ra().put(with_mac(ra(), ir(key_)));
  ra().work();
  const auto up = must(ra().spool->replies().list({}));
  ASSERT_THAT(up, SizeIs(1));
  EXPECT_TRUE(must(ra().spool->replies().drop(up.front().id, "dropped")));
  const auto answer = RaOffice::only(ra().tick());
  EXPECT_THAT(answer, Refuses("error", PKIFailureInfo::systemUnavail));
  EXPECT_THAT(status_in(answer).statusString, Contains(HasSubstr("was not sent")));
  EXPECT_THAT(ra().tick(), IsEmpty());
  EXPECT_THAT(ra().up, IsEmpty());
}

TEST_F(RaDisorder, RequestersHearOfABatchThatAPersonHasDropped) {
  start("mode = \"batch\"\n", "batch_within = \"1m\"\n");
  ra().put(with_mac(ra(), ir(key_)));
  ra().put(with_mac(ra(), ir(Credential(), "CN=dev2")));
  ra().work();
  ra().clock.advance(2min);
  ra().timers();
  for (const auto& one : must(ra().spool->replies().list({}))) {
    EXPECT_TRUE(must(ra().spool->replies().drop(one.id, "dropped")));
  }
  const auto answers = ra().tick();
  ASSERT_THAT(answers, SizeIs(2));
  for (const auto& one : answers) {
    EXPECT_THAT(read(one), Refuses("error", PKIFailureInfo::systemUnavail));
  }
  EXPECT_THAT(must(UpstreamTable(ra().reader->connection()).unsent_batches()), SizeIs(1));
  EXPECT_THAT(ra().tick(), IsEmpty());
  EXPECT_THAT(must(UpstreamTable(ra().reader->connection()).unsent_batches()), IsEmpty());
}

// ... nor can one come by a channel that is gone before anything has left.
TEST_F(RaDisorder, RequesterHearsOfAChannelThatIsNotConfiguredAnyMore) {
  start("upstream_within = \"2d\"\n");
  ra().put(with_mac(ra(), ir(key_)));
  ra().work();
  const auto tid = must(ra().spool->replies().list({})).front().envelope.tid;
  auto channels = std::move(ra().channels);
  ra().channels = must(load_channel_policies(
      *parse_settings("[instance]\nname = \"ra\"\n[ra]\ncmp_certificate = \"c\"\n"
                      "cmp_key = \"k\"\nupstream = \"other\"\nupstream_within = \"2d\"\n"
                      "[[profile]]\nname = \"device\"\n"
                      "[[channel]]\nname = \"drop\"\nkind = \"directory\"\nin = \"in\"\n"
                      "out = \"out\"\n[[channel]]\nname = \"other\"\nkind = \"directory\"\n"
                      "in = \"in-v\"\nout = \"out-v\"\ndirection = \"upstream\"\n"
                      "trust = [\"above.pem\"]\n",
                      ra().directory / "cmpost.toml"),
      {ca().authority->issuer.certificate()}));
  ra().timers();
  ra().work();
  EXPECT_THAT(must(ra().spool->replies().list({.state = JobState::waiting})), SizeIs(1));
  ra().clock.advance(49h);
  EXPECT_THAT(RaOffice::only(ra().tick()), Refuses("error", PKIFailureInfo::systemUnavail));
  ra().channels = std::move(channels);
  EXPECT_THAT(ra().tick(), IsEmpty());
  EXPECT_THAT(ra().up, IsEmpty());
}

// Of which the ledger has lost what was sent: they stay, and the rest is ended all the same.
TEST_F(RaDisorder, WhatCannotBeEndedDoesNotStandBeforeTheRest) {
  start();
  const auto add = [&](int number, TransactionState state, Time due) {
    Transaction one;
    one.transactionID = to_bytes("overdue " + std::to_string(number));
    one.channel = "drop";
    one.body = "ir";
    one.state = state;
    must(ra().ledger->write([&](LedgerWriter& writer) -> Result<void> {
      TransactionTable table(writer.connection());
      ASSIGN_OR_RETURN(const auto row, table.open(one));
      return table.start_timer(*row, one.reply, due).map([](bool) {});
    }));
  };
  const auto now = ra().clock.now();
  for (int i = 0; i < 600; ++i) add(i, TransactionState::open, now - 2h);
  add(600, TransactionState::challenged, now - 1h);
  EXPECT_EQ(must(end_overdue(*ra().ledger, ra().services())), 1U);
  EXPECT_EQ(must(end_overdue(*ra().ledger, ra().services())), 0U);
}

TEST_F(RaDisorder, AnswerIsNotLostBetweenLedgerAndQueue) {
  start();
  EXPECT_THAT(ra().ask_all(with_mac(ra(), ir(key_))), IsEmpty());
  const auto answers = ra().above_answers();
  EXPECT_EQ(body_name(RaOffice::only(die_and_repeat(from_above(answers.at(0)))).body), "ip");
  EXPECT_THAT(ra().hear(answers.at(0)), IsEmpty());
  EXPECT_THAT(ra().held(), IsEmpty());
}

TEST_F(RaDisorder, AnswerToCertConfIsNotLostBetweenLedgerAndQueue) {
  start();
  const auto answer = ra().through(with_mac(ra(), ir(key_), explicitly()));
  const auto conf = with_mac(ra(), cert_conf(certificate_in(answer)), following(answer));
  EXPECT_THAT(ra().ask_all(conf), IsEmpty());
  const auto answers = ra().above_answers();
  EXPECT_EQ(body_name(RaOffice::only(die_and_repeat(from_above(answers.at(0)))).body), "pkiconf");
  EXPECT_THAT(ra().hear(answers.at(0)), IsEmpty());
}

TEST_F(RaDisorder, AnswerToWhatWasForwardedIsNotLostBetweenLedgerAndQueue) {
  start_with_vendor("forward");
  const auto device = vendor_device();
  EXPECT_THAT(ra().ask_all(signed_by(ca(), device, ir(device, "CN=V1"))), IsEmpty());
  const auto answers = ra().above_answers();
  EXPECT_THAT(die_and_repeat(from_above(answers.at(0))), ElementsAre(answers.at(0)));
}

TEST_F(RaDisorder, LackOfAnAnswerIsNotLostBetweenLedgerAndQueue) {
  start("upstream_within = \"1d\"\n");
  const auto request = with_mac(ra(), ir(key_));
  EXPECT_THAT(ra().ask_all(request), IsEmpty());
  EXPECT_THAT(ra().tick(), IsEmpty());
  const auto job = upstream_job(ra().messages(tid_of(request)).at(0), kUnanswered);
  EXPECT_THAT(RaOffice::only(die_and_repeat(job)), Refuses("error", PKIFailureInfo::systemUnavail));
}

// A file comes twice: the first time as the answer, the second when certConf is on its way.
TEST_F(RaDisorder, OldAnswerThatComesAgainDoesNotAnswerCertConf) {
  start();
  EXPECT_THAT(ra().ask_all(with_mac(ra(), ir(key_), explicitly())), IsEmpty());
  const auto answers = ra().above_answers();
  const auto answer = RaOffice::only(ra().hear(answers.at(0)));
  const auto conf = with_mac(ra(), cert_conf(certificate_in(answer)), following(answer));
  EXPECT_THAT(ra().ask_all(conf), IsEmpty());
  EXPECT_THAT(ra().hear(answers.at(0)), IsEmpty());
  auto other = read(answers.at(0));
  other.header.senderNonce = ca().random.bytes(16);
  EXPECT_THAT(ra().hear(resigned(other)), IsEmpty());
  EXPECT_THAT(ra().held(), ElementsAre(HasSubstr("another answer")));
  EXPECT_EQ(body_name(RaOffice::only(ra().carry()).body), "pkiconf");
}

// docs/ra.md: what does not fit is held, so that the right answer can still come.
TEST_F(RaDisorder, AnswerThatDoesNotFitEndsNothing) {
  start();
  EXPECT_THAT(ra().ask_all(with_mac(ra(), ir(key_))), IsEmpty());
  const auto answers = ra().above_answers();
  auto other = read(answers.at(0));
  other.body = body::cp{std::get<body::ip>(other.body).response};
  EXPECT_THAT(ra().hear(resigned(other)), IsEmpty());
  EXPECT_THAT(ra().held(), ElementsAre(HasSubstr("does not fit")));
  EXPECT_EQ(body_name(RaOffice::only(ra().hear(answers.at(0))).body), "ip");
}

TEST_F(RaDisorder, CertConfThatComesAgainOnItsWayUpHearsNothing) {
  start();
  const auto answer = ra().through(with_mac(ra(), ir(key_), explicitly()));
  const auto conf = with_mac(ra(), cert_conf(certificate_in(answer)), following(answer));
  EXPECT_THAT(ra().ask_all(conf), IsEmpty());
  EXPECT_THAT(ra().ask_all(conf), IsEmpty());
  EXPECT_EQ(body_name(RaOffice::only(ra().carry()).body), "pkiconf");
  EXPECT_EQ(body_name(RaOffice::only(ra().ask_all(conf)).body), "pkiconf");
}

TEST_F(RaDisorder, WaitingThatComesTwiceIsOne) {
  start("", "check_after = \"1h\"\n", "",
        "waiting = \"always\"\napprove = \"one\"\napproval_by_ra = \"none\"\n");
  const auto request = with_mac(ra(), ir(key_));
  EXPECT_THAT(ra().ask_all(request), IsEmpty());
  const auto answers = ra().above_answers();
  EXPECT_THAT(ra().hear(answers.at(0)), IsEmpty());
  ra().clock.advance(61min);
  EXPECT_THAT(ra().tick(), IsEmpty());
  ASSERT_THAT(ra().up, SizeIs(1));
  EXPECT_THAT(ra().hear(answers.at(0)), IsEmpty());
  ra().clock.advance(61min);
  EXPECT_THAT(ra().tick(), IsEmpty());
  EXPECT_THAT(ra().up, SizeIs(1));  // one poll, not two
}

// RFC 9483 4.4: any message may be answered by an error with status waiting. The server of
// OpenSSL 3.5 lets wait with certConf.
class RaDisorderOfCertConf : public RaDisorder {
 protected:
  void wait_with_cert_conf() {
    start("upstream_within = \"1d\"\n", "check_after = \"1h\"\n");
    const auto answer = ra().through(with_mac(ra(), ir(key_), explicitly()));
    ra().put(with_mac(ra(), cert_conf(certificate_in(answer)), following(answer)), "conf");
    EXPECT_THAT(ra().settle(), IsEmpty());
    end_ = read(ra().above_answers().at(0));
    auto interim = end_;
    interim.body = waiting_error();
    EXPECT_THAT(ra().hear(resigned(interim)), IsEmpty());
    ra().clock.advance(61min);
    EXPECT_THAT(ra().tick(), IsEmpty());
    end_.header.recipNonce = read(ra().up.at(0)).header.senderNonce;
    end_.header.senderNonce = ca().random.bytes(16);
  }
  // The names of what is to leave.
  std::vector<std::string> named() {
    std::vector<std::string> names;
    for (const auto& job : ra().sent()) {
      names.push_back(job.envelope.reply.name + "." + job.envelope.body);
    }
    return names;
  }
  PKIMessage end_;  // pkiconf, to the poll
};

TEST_F(RaDisorderOfCertConf, AnswerThatWasPolledForGoesWhereCertConfCameFrom) {
  wait_with_cert_conf();
  const auto job = from_above(resigned(end_));
  must(ra().spool->requests().put({&job, 1}));
  ra().work();
  EXPECT_THAT(named(), ElementsAre("conf.pkiconf"));
}

TEST_F(RaDisorderOfCertConf, AlsoIfTheProcessHasDiedMeanwhile) {
  wait_with_cert_conf();
  const auto job = from_above(resigned(end_));
  const Lease lease{job, 1, ra().clock.now()};
  EXPECT_TRUE(ra().commit(must(respond(lease, *ra().reader, ra().services()))));
  must(ra().spool->requests().put({&job, 1}));
  ra().work();
  EXPECT_THAT(named(), ElementsAre("conf.pkiconf"));
}

// certConf and the poll are overdue, and the requester hears so once.
TEST_F(RaDisorderOfCertConf, AndSoDoesTheLackOfAnAnswer) {
  wait_with_cert_conf();
  EXPECT_THAT(ra().tick(), IsEmpty());
  ra().clock.advance(25h);
  ra().timers();
  ra().work();
  EXPECT_THAT(named(), ElementsAre("conf.error"));
}

TEST_F(RaDisorder, CaIsAskedAgainOnceAlsoIfTheJobIsRepeated) {
  start("", "check_after = \"1h\"\n", "",
        "waiting = \"always\"\napprove = \"one\"\napproval_by_ra = \"none\"\n");
  const auto request = with_mac(ra(), ir(key_));
  EXPECT_THAT(ra().ask_all(request), IsEmpty());
  EXPECT_THAT(ra().carry(), IsEmpty());
  const auto job = upstream_job(ra().messages(tid_of(request)).at(0), kAskAgain);
  ra().clock.advance(61min);
  EXPECT_THAT(die_and_repeat(job), IsEmpty());
  EXPECT_THAT(ra().tick(), IsEmpty());
  EXPECT_THAT(ra().up, SizeIs(1));
}

// The courier is faster than our bookkeeping.
TEST_F(RaDisorder, WaitingBeforeTheDepartureIsNotedHasAnEndAllTheSame) {
  start("upstream_within = \"1d\"\n", "check_after = \"10d\"\n", "",
        "waiting = \"always\"\napprove = \"one\"\napproval_by_ra = \"none\"\n");
  EXPECT_THAT(ra().ask_all(with_mac(ra(), ir(key_))), IsEmpty());
  EXPECT_THAT(ra().carry(), IsEmpty());
  EXPECT_THAT(ra().tick(), IsEmpty());
  ra().clock.advance(25h);
  EXPECT_THAT(RaOffice::only(ra().tick()), Refuses("error", PKIFailureInfo::systemUnavail));
}

TEST_F(RaDisorder, RequesterGivesUpWhilePeopleAreAsked) {
  start("", "", "approve = \"one\"\nwaiting = \"always\"\n");
  const auto interim = RaOffice::only(ra().ask_all(with_mac(ra(), ir(key_))));
  const auto enough =
      with_mac(ra(), error_body({PKIFailureInfo::systemFailure, "enough"}), following(interim));
  EXPECT_EQ(body_name(RaOffice::only(ra().ask_all(enough)).body), "pkiconf");
  EXPECT_THAT(ra().held(), IsEmpty());
}

// Nobody agrees to half of it.
TEST_F(RaDisorder, WhatPeopleRefuseInPartIsNotAskedAtAll) {
  start("", "", "approve = \"one\"\n");
  Credential other;
  const auto request = with_mac(ra(), body::ir{{cert_request(key_, "CN=dev1", {.certReqId = 0}),
                                                cert_request(other, "CN=dev2", {.certReqId = 1})}});
  const auto tid = tid_of(request);
  EXPECT_THAT(ra().ask_all(request), IsEmpty());
  ra().say(tid, false, "alice", 0);
  const auto answers = ra().settle();
  if (answers.empty()) {
    ra().say(tid, true, "alice", 1);
    EXPECT_THAT(ra().settle(), SizeIs(1));
  }
  EXPECT_THAT(ra().up, IsEmpty());
}

TEST_F(RaDisorder, AgreementToAPartIsNotWorkedOnForEver) {
  start("", "", "approve = \"one\"\n");
  Credential other;
  const auto request = with_mac(ra(), body::ir{{cert_request(key_, "CN=dev1", {.certReqId = 0}),
                                                cert_request(other, "CN=dev2", {.certReqId = 1})}});
  const auto tid = tid_of(request);
  const auto version = [&] {
    return must(WaitTable(ra().reader->connection()).find(ra().transaction(tid).id))->version;
  };
  EXPECT_THAT(ra().ask_all(request), IsEmpty());
  ra().say(tid, true, "alice", 0);
  EXPECT_THAT(ra().settle(), IsEmpty());
  ra().tick();
  const auto before = version();
  for (int i = 0; i < 5; ++i) EXPECT_THAT(ra().tick(), IsEmpty());
  EXPECT_EQ(version(), before);
  EXPECT_THAT(ra().up, IsEmpty());
  ra().say(tid, true, "alice", 1);
  EXPECT_THAT(ra().settle(), IsEmpty());
  EXPECT_THAT(ra().up, SizeIs(1));
}

// What is wrong with one transaction is no reason not to look at the others.
TEST_F(RaDisorder, TransactionThatCannotBeEndedDoesNotStopTheTimers) {
  start("", "secret = \"for-ra\"\n", "confirm_within = \"1h\"\n");
  Secret shared;
  shared.reference = "for-ra";
  shared.value = to_bytes(std::string_view("between the two"));
  shared.subject = "CN=dev*";
  ra().add(shared);
  ca().add(shared);
  (void)ra().through(with_mac(ra(), ir(key_), explicitly()));
  EXPECT_THAT(ra().tick(), IsEmpty());
  must(ra().ledger->write([&](LedgerWriter& writer) -> Result<void> {
    TRY(change(writer.connection(), "DELETE FROM secret WHERE reference = 'for-ra'"));
    return {};
  }));
  ra().clock.advance(2h);
  EXPECT_THAT(run_timers(*ra().spool, *ra().ledger, ra().services()), IsOk());
}

TEST_F(RaDisorder, CertificateOfASilentRequesterIsNotTakenForAGoodOne) {
  start("", "", "confirm_within = \"1h\"\n");
  const auto answer = ra().through(with_mac(ra(), ir(key_), explicitly()));
  EXPECT_THAT(ra().tick(), IsEmpty());
  ra().clock.advance(2h);
  EXPECT_THAT(ra().tick(), IsEmpty());
  ra().tick();
  EXPECT_THAT(ra().carry(), IsEmpty());
  EXPECT_EQ(ra().record(certificate_in(answer))->state, CertificateState::revoked);
}

TEST_F(RaDisorder, CertificateIsConfirmedHereAlsoIfTheSettingsHaveChangedSince) {
  start("confirm = \"local\"\n");
  const auto answer = ra().through(with_mac(ra(), ir(key_), explicitly()));
  ra().set("", "", "");
  const auto conf = with_mac(ra(), cert_conf(certificate_in(answer)), following(answer));
  EXPECT_EQ(body_name(RaOffice::only(ra().ask_all(conf)).body), "pkiconf");
}

//
TEST_F(RaDisorder, ErrorOfTheWholeBatchReachesEachRequester) {
  start("mode = \"batch\"\n", "batch_within = \"0s\"\n");
  Credential keys[2];
  EXPECT_THAT(ra().ask_all(with_mac(ra(), ir(keys[0]))), IsEmpty());
  EXPECT_THAT(ra().ask_all(with_mac(ra(), ir(keys[1], "CN=dev2"))), IsEmpty());
  ra().tick();
  ASSERT_THAT(ra().up, SizeIs(1));
  auto whole = read(ra().above_answers().at(0));
  whole.body = error_body({PKIFailureInfo::systemFailure, "not today"});
  const auto down = ra().hear(resigned(whole));
  ASSERT_THAT(down, SizeIs(2));
  for (const auto& one : down) EXPECT_EQ(body_name(read(one).body), "error");
}

// The CA would put what is too large for its channel aside unread, with all that is in it.
TEST_F(RaDisorder, BatchIsNoLargerThanAMessageMayBe) {
  start("mode = \"batch\"\n", "batch_within = \"0s\"\nmax_message = \"8KiB\"\n");
  for (int i = 0; i < 8; ++i) {
    EXPECT_THAT(ra().ask_all(with_mac(ra(), ir(Credential(), "CN=dev" + std::to_string(i)))),
                IsEmpty());
  }
  ra().tick();
  EXPECT_GT(ra().up.size(), 1U);
  std::size_t members = 0;
  for (const auto& one : ra().up) {
    EXPECT_LT(one.size(), 8192U);
    members += std::get<body::nested>(read(one).body).messages.size();
  }
  EXPECT_EQ(members, 8U);
}

TEST_F(RaDisorder, WhatTheRequesterHasEndedIsNotWrappedAsIfItWereOpen) {
  start("mode = \"batch\"\n", "batch_within = \"1h\"\n");
  const auto request = with_mac(ra(), ir(key_));
  EXPECT_THAT(ra().ask_all(request), IsEmpty());
  const auto collected = ra().messages(tid_of(request)).at(0);
  must(ra().ledger->write([&](LedgerWriter& writer) -> Result<void> {
    UpstreamTable table(writer.connection());
    TRY(table.change(
        {.id = collected.id, .from = {collected.state}, .to = UpstreamState::given_up}));
    UpstreamBatch batch;
    batch.channel = "vault";
    batch.transactionID = batch.senderNonce = ra().random.bytes(16);
    ASSIGN_OR_RETURN(const bool added, table.add(batch, {collected.id}));
    EXPECT_FALSE(added);
    return {};
  }));
  EXPECT_EQ(ra().messages(tid_of(request)).at(0).state, UpstreamState::given_up);
}

// What has passed here may be revoked there, by who does not ask here.
TEST_F(RaDisorder, ListOfTheCaCountsAlsoForWhatHasPassedHere) {
  start();
  Credential device;
  device.certificate = certificate_in(ra().through(with_mac(ra(), ir(device))));
  TBSCertList list;
  list.thisUpdate = ca().clock.now();
  list.nextUpdate = ca().clock.now() + 24h;
  list.revokedCertificates.push_back(
      {to_bytes(device.certificate->serial_number()), ca().clock.now(), {}, {}});
  must(write_file(ra().directory / "list.crl", must(ca().authority->issuer.sign_crl(list)), 0644,
                  IfExists::replace));
  ra().set("", "", "crls = [\"list.crl\"]\n");
  const auto cr = signed_by(ra(), device, body::cr{{cert_request(key_, "CN=dev1")}});
  EXPECT_THAT(RaOffice::only(ra().ask_all(cr)), Refuses("error", PKIFailureInfo::certRevoked));
  EXPECT_THAT(ra().up, IsEmpty());
}

// Two CAs count their certificates by themselves.
TEST_F(RaDisorder, CertificateOfAnotherCaWithTheSameSerialNumberIsLeftAlone) {
  start();
  const auto answer = ra().through(with_mac(ra(), ir(key_), explicitly()));
  const auto serial = to_bytes(certificate_in(answer).serial_number());
  must(ra().ledger->write([&](LedgerWriter& writer) -> Result<void> {
    TRY(change(writer.connection(), "UPDATE certificate SET tid = 'ab' WHERE serial = ?", serial));
    return {};
  }));
  auto conf = cert_conf(certificate_in(answer));
  PKIStatusInfo no;
  no.status = PKIStatus::rejection;
  std::get<body::certConf>(conf).statuses.at(0).statusInfo = no;
  EXPECT_EQ(body_name(ra().through(with_mac(ra(), conf, following(answer))).body), "pkiconf");
  EXPECT_EQ(ra().record(certificate_in(answer))->state, CertificateState::unconfirmed);
}

TEST_F(RaDisorder, RevocationOfOneCertificateTwiceIsOne) {
  start();
  Credential device;
  device.certificate = certificate_in(ra().through(with_mac(ra(), ir(device))));
  auto rr = std::get<body::rr>(revocation(*device.certificate));
  rr.details.push_back(rr.details.front());
  EXPECT_THAT(ra().ask_all(signed_by(ra(), device, rr)), IsEmpty());
  auto answer = read(ra().above_answers().at(0));
  PKIStatusInfo done;
  RevRepContent both;
  both.status = {done, done};
  answer.body = body::rp{both};
  EXPECT_EQ(body_name(RaOffice::only(ra().hear(resigned(answer))).body), "rp");
  EXPECT_EQ(ra().record(*device.certificate)->state, CertificateState::revoked);
}

TEST_F(RaDisorder, AnswerAboutOnePartTwiceEndsNothing) {
  start();
  Credential other;
  EXPECT_THAT(
      ra().ask_all(with_mac(ra(), body::ir{{cert_request(key_, "CN=dev1"),
                                            cert_request(other, "CN=dev2", {.certReqId = 1})}})),
      IsEmpty());
  auto answer = read(ra().above_answers().at(0));
  CertResponse no;
  no.status.status = PKIStatus::rejection;
  CertRepMessage twice;
  twice.response = {no, no};
  answer.body = body::ip{twice};
  EXPECT_THAT(ra().hear(resigned(answer)), IsEmpty());
  EXPECT_THAT(ra().held(), ElementsAre(HasSubstr("certReqId 0 twice")));
}

// The CA has confirmed it by then, and waits for no certConf any more.
TEST_F(RaDisorder, WhoGivesUpAfterCertConfHasItRevoked) {
  start();
  const auto answer = ra().through(with_mac(ra(), ir(key_), explicitly()));
  const auto certificate = certificate_in(answer);
  EXPECT_THAT(ra().ask_all(with_mac(ra(), cert_conf(certificate), following(answer))), IsEmpty());
  const auto enough =
      with_mac(ra(), error_body({PKIFailureInfo::systemFailure, "enough"}), following(answer));
  EXPECT_EQ(body_name(RaOffice::only(ra().ask_all(enough)).body), "pkiconf");
  ra().carry();
  EXPECT_EQ(ca().record(certificate)->state, CertificateState::revoked);
  EXPECT_EQ(ra().record(certificate)->state, CertificateState::revoked);
}

// Those that cannot be worked on must not stand in the way of the rest.
TEST_F(RaDisorder, AllThatIsDueIsFound) {
  start("upstream_within = \"1d\"\n");
  const auto request = with_mac(ra(), ir(key_));
  EXPECT_THAT(ra().ask_all(request), IsEmpty());
  const auto one = ra().messages(tid_of(request)).at(0);
  constexpr int kMany = 1200;
  must(ra().ledger->write([&](LedgerWriter& writer) -> Result<void> {
    UpstreamTable table(writer.connection());
    for (int i = 0; i < kMany; ++i) {
      auto more = one;
      more.seq = 2 + i;
      TRY(table.add(more));
    }
    TRY(change(writer.connection(), "UPDATE upstream SET state = 'left', answer_by = ?",
               ra().clock.now()));
    return {};
  }));
  ra().timers();
  EXPECT_THAT(must(ra().spool->requests().list({.state = JobState::waiting, .limit = 5000})),
              SizeIs(kMany + 1));
}

TEST_F(RaDisorder, StrangerDoesNotLockTheCaOut) {
  start("", "secret = \"for-ra\"\n", "mac = { lock_after = 3, lock_after_all = 5 }\n");
  Secret shared;
  shared.reference = "for-ra";
  shared.value = to_bytes(std::string_view("between the two"));
  shared.subject = "CN=dev*";
  ra().add(shared);
  ca().add(shared);
  EXPECT_THAT(ra().ask_all(with_mac(ra(), ir(key_))), IsEmpty());
  const auto up = std::exchange(ra().up, {});
  for (int i = 0; i < 20; ++i) (void)ra().ask_all(with_mac(ra(), ir(key_), {}, "wrong", "for-ra"));
  ra().up = up;
  EXPECT_THAT(ra().carry(), SizeIs(1));
}

TEST_F(RaDisorder, WhatHasEndedIsForgottenWithItsMessages) {
  start();
  (void)ra().through(with_mac(ra(), ir(key_)));
  EXPECT_THAT(ra().tick(), IsEmpty());
  EXPECT_EQ(rows_of(ra(), "upstream"), 1);
  ra().clock.advance(24h);
  EXPECT_EQ(must(forget_messages(*ra().ledger, ra().clock.now(), 100)), 1);
  EXPECT_EQ(rows_of(ra(), "upstream"), 0);
}

}  // namespace
}  // namespace cmpost
