// What happens because time has passed.
#include "tests/processor/office.h"

namespace cmpost {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr auto kDay = hours(24);
constexpr const char* kTenDays = "confirm_within = \"10d\"\n";

Bytes request_for_certconf(Office& ca) {
  return with_mac(ca, ir(Credential()), {.implicit_confirm = false});
}

TEST(Timers, WhatIsNotConfirmedInTimeIsRevokedOnce) {
  Office ca(kTenDays);
  const auto certificate = certificate_in(ca.talk(request_for_certconf(ca)));
  ca.timers();
  ca.clock.advance(9 * kDay);
  ca.timers();
  EXPECT_EQ(ca.record(certificate)->state, CertificateState::unconfirmed);
  ca.clock.advance(2 * kDay);
  EXPECT_EQ(must(end_overdue(*ca.ledger, ca.services())), 1U);
  EXPECT_EQ(must(end_overdue(*ca.ledger, ca.services())), 0U);
  EXPECT_EQ(ca.record(certificate)->state, CertificateState::revoked);
}

TEST(Timers, TimeToConfirmStartsWhenTheAnswerHasLeft) {
  Office ca(kTenDays);
  ca.put(request_for_certconf(ca));
  ca.work();
  ca.clock.advance(30 * kDay);  // the queue of answers stands still
  ca.timers();
  ca.timers();
  const auto answers = ca.sent();
  ASSERT_THAT(answers, SizeIs(1));
  const auto certificate = certificate_in(*decode(answers[0].payload));
  EXPECT_EQ(ca.record(certificate)->state, CertificateState::unconfirmed);
  ca.clock.advance(9 * kDay);
  ca.timers();  // looks a while later; the departure counts, not the look
  EXPECT_EQ(ca.record(certificate)->state, CertificateState::unconfirmed);
  ca.clock.advance(2 * kDay);
  ca.timers();
  EXPECT_EQ(ca.record(certificate)->state, CertificateState::revoked);
}

TEST(Timers, AClockInDoubtRevokesNothing) {
  Office ca(kTenDays);
  const auto certificate = certificate_in(ca.talk(request_for_certconf(ca)));
  ca.timers();
  ca.doubted.emplace(ca.clock.now());
  ca.clock.advance(31 * kDay);
  ca.timers();
  EXPECT_EQ(ca.record(certificate)->state, CertificateState::unconfirmed);
  ca.doubted->advance(11 * kDay);
  ca.timers();
  EXPECT_EQ(ca.record(certificate)->state, CertificateState::revoked) << "that time has passed";
}

TEST(Timers, WhatBeginsWhileTheClockIsInDoubtEndsInItsTime) {
  Office ca(kTenDays + std::string("approve = \"one\"\napprove_for = [\"ir\"]\n"
                                   "decide_within = \"20d\"\n"));
  for (const Duration by : {Duration(-minutes(30)), Duration(400 * kDay)}) {
    ca.doubted.emplace(ca.clock.now());
    ca.clock.advance(by);
    ca.put(request_for_certconf(ca));
    ca.work();
    ca.clock.advance(-by);
    ca.doubted.reset();
    EXPECT_EQ(must(wake_waiting(*ca.spool, *ca.ledger, ca.clock)), 0U) << "not too early";
    ca.clock.advance(21 * kDay);
    EXPECT_EQ(must(wake_waiting(*ca.spool, *ca.ledger, ca.clock)), 1U) << "and not too late";
    ca.work();
    ca.clock.advance(-21 * kDay);
  }
}

TEST(Timers, RequestsWaitWhileTheClockIsBeforeTheBeginningOfTheCa) {
  Office ca;
  ca.put(request_for_certconf(ca));
  const auto now = ca.clock.now();
  ca.clock.set(ca.authority->issuer.certificate().not_before() - hours(1));
  const auto totals = ca.work();
  EXPECT_EQ(totals.answered + totals.deferred + totals.held + totals.refused, 0U);
  EXPECT_THAT(ca.sent(), IsEmpty());
  EXPECT_EQ(must(ca.spool->requests().counts()).waiting, 1U);
  ca.clock.set(now);
  EXPECT_EQ(ca.work().answered, 1U);
}

TEST(Timers, TimersSurviveARestart) {
  Office ca(kTenDays);
  const auto certificate = certificate_in(ca.talk(request_for_certconf(ca)));
  ca.timers();
  ca.open();
  ca.clock.advance(11 * kDay);
  ca.timers();
  EXPECT_EQ(ca.record(certificate)->state, CertificateState::revoked);
}

TEST(Timers, ClockThatJumpsByAMonthFiresEachTimerOnce) {
  Office ca(
      "confirm_within = \"10d\"\napprove = \"one\"\napprove_for = [\"cr\"]\n"
      "waiting = \"after 1h\"\ndecide_within = \"20d\"\n");
  const auto certificate = certificate_in(ca.talk(request_for_certconf(ca)));
  const auto device = enrolled(ca);
  ca.put(signed_by(ca, device, body::cr{{cert_request(Credential(), "CN=dev1")}}));
  ca.work();
  ca.sent();
  ca.timers();
  ca.clock.advance(30 * kDay);
  std::size_t answers = 0;
  for (int i = 0; i < 3; ++i) {
    ca.timers();
    answers += ca.work_and_send().size();
  }
  EXPECT_EQ(answers, 1U) << "the decision that nobody made";
  EXPECT_EQ(ca.record(certificate)->state, CertificateState::revoked);
  std::size_t revocations = 0;
  for (const auto& record : must(ca.reader->audit(0, 1000))) {
    revocations += record.event == "certificate.revoked" ? 1 : 0;
  }
  EXPECT_EQ(revocations, 1U);
}

TEST(Timers, SilenceIsAcceptanceWhereTheChannelSaysSo) {
  Office ca(std::string(kTenDays) + "unconfirmed = \"keep\"\n");
  const auto certificate = certificate_in(ca.talk(request_for_certconf(ca)));
  ca.timers();
  ca.clock.advance(11 * kDay);
  ca.timers();
  EXPECT_EQ(ca.record(certificate)->state, CertificateState::valid);
}

TEST(Timers, AlarmLeavesTheDecisionToPeopleAndToALateCertConf) {
  Office ca(std::string(kTenDays) + "unconfirmed = \"alarm\"\n");
  const auto answer = ca.talk(request_for_certconf(ca));
  ca.timers();
  ca.clock.advance(11 * kDay);
  ca.timers();
  ca.timers();
  EXPECT_EQ(must(TransactionTable(ca.reader->connection()).ageing()).alarms, 1U);
  const auto certificate = certificate_in(answer);
  EXPECT_EQ(ca.record(certificate)->state, CertificateState::unconfirmed);
  EXPECT_EQ(body_name(ca.talk(with_mac(ca, cert_conf(certificate), following(answer))).body),
            "pkiconf");
  EXPECT_EQ(ca.record(certificate)->state, CertificateState::valid);
}

TEST(Timers, CertConfAfterTheRevocationIsABadRequest) {
  Office ca(kTenDays);
  const auto answer = ca.talk(request_for_certconf(ca));
  ca.timers();
  ca.clock.advance(11 * kDay);
  ca.timers();
  EXPECT_THAT(ca.talk(with_mac(ca, cert_conf(certificate_in(answer)), following(answer))),
              Refuses("error", PKIFailureInfo::badRequest));
}

// A poll that is filed before the request it is about: a client that goes by a medium and not by
// answers can send both at once.
struct Pair {
  explicit Pair(Office& ca) : request(with_mac(ca, ir(Credential()))) {
    const auto header = decode(request)->header;
    poll = with_mac(ca, poll_req(0), {.implicit_confirm = false, .edit = [&](PKIHeader& next) {
                                        next.transactionID = header.transactionID;
                                      }});
  }
  Bytes request, poll;
};

TEST(Order, FollowUpThatComesFirstIsAnsweredAfterItsPredecessor) {
  Office ca("approve = \"one\"\n");
  const Pair pair(ca);
  ca.put(pair.poll);
  ca.put(pair.request);
  ca.work();
  const auto answers = ca.sent();
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_EQ(body_name(decode(answers[0].payload)->body), "pollRep");
}

TEST(Order, FollowUpWaitsInTheQueueForABoundedTime) {
  Office ca("approve = \"one\"\nout_of_order = \"1h\"\n");
  const Pair pair(ca);
  EXPECT_THAT(ca.post(pair.poll), IsEmpty());
  EXPECT_EQ(must(ca.spool->requests().counts()).deferred, 1U);
  ca.clock.advance(minutes(2));
  EXPECT_THAT(ca.work_and_send(), IsEmpty());
  ca.clock.advance(minutes(59));
  EXPECT_THAT(Office::only(ca.work_and_send()), Refuses("error", PKIFailureInfo::badRequest));
}

TEST(Order, PredecessorThatComesWithinTheTimeMakesItGood) {
  Office ca("approve = \"one\"\n");
  const Pair pair(ca);
  EXPECT_THAT(ca.post(pair.poll), IsEmpty());
  EXPECT_THAT(ca.post(pair.request), IsEmpty());
  ca.clock.advance(minutes(1));
  EXPECT_EQ(body_name(Office::only(ca.work_and_send()).body), "pollRep");
}

TEST(Order, StrangersDoNotWait) {
  Office ca;
  const MessageOptions unknown{.implicit_confirm = false,
                               .edit = [](PKIHeader& header) { header.recipNonce = Bytes(16, 1); }};
  EXPECT_THAT(ca.talk(with_mac(ca, poll_req(0), unknown, "guessed")),
              Refuses("error", PKIFailureInfo::badMessageCheck));
}

TEST(Replay, AfterARestartIsRefusedOrAnsweredAsBeforeAsLongAsMessagesMayBeOld) {
  for (const auto* strict : {"", "strict = true\n"}) {
    Office ca(std::string("age = \"30d\"\n") + strict);
    const auto request = with_mac(ca, ir(Credential()));
    const auto answer = ca.post(request);
    ca.clock.advance(29 * kDay);
    ca.open();
    const auto again = ca.post(request);
    if (*strict == '\0') {
      EXPECT_EQ(again, answer);
    } else {
      EXPECT_THAT(Office::only(again), Refuses("error", PKIFailureInfo::transactionIdInUse));
    }
    EXPECT_EQ(ca.certificates(), 1);
  }
}

// The process has died after the ledger knew the answer and before the queue had it: the same job
// comes again, which is no second message, however strict the channel is.
TEST(Replay, OfTheSameJobAfterADeathGetsItsStoredAnswer) {
  for (const auto* strict : {"", "strict = true\n"}) {
    CaUnderTest ca(strict);
    const auto lease = ca.arrival(with_mac(ca, ir(Credential())));
    const auto first = must(respond(lease, *ca.reader, ca.services()));
    ASSERT_TRUE(ca.commit(first));
    const auto again = must(respond(lease, *ca.reader, ca.services()));
    ASSERT_TRUE(std::holds_alternative<Decision::Reply>(again.what)) << strict;
    const auto& answer = std::get<Decision::Reply>(again.what).job;
    EXPECT_EQ(answer.payload, std::get<Decision::Reply>(first.what).job.payload) << strict;
    EXPECT_TRUE(answer.id == std::get<Decision::Reply>(first.what).job.id);
  }
}

TEST(Dump, TransactionsGoOnOnAnotherMachine) {
  Office ca("approve = \"one\"\nwaiting = \"always\"\napprove_for = [\"ir\"]\n");
  const auto waits = with_mac(ca, ir(Credential()));
  const auto told = ca.talk(waits);
  const Credential device;
  const auto open = ca.talk(
      with_mac(ca, body::cr{{cert_request(device, "CN=dev1")}}, {.implicit_confirm = false}));
  ca.timers();
  // The two files are all that there is to take along.
  ca.reader.reset();
  ca.ledger.reset();
  ca.spool.reset();
  const TemporaryDirectory other;
  for (const auto* name : {"ledger.db", "spool.db"}) {
    std::filesystem::rename(ca.directory / name, other / name);
  }
  ca.open_in(other.path());
  EXPECT_EQ(body_name(ca.talk(with_mac(ca, cert_conf(certificate_in(open)), following(open))).body),
            "pkiconf");
  ca.say(*told.header.transactionID, true);
  ca.work();
  certificate_in(ca.talk(with_mac(ca, poll_req(0), following(told))));
  EXPECT_EQ(ca.certificates(), 2);
}

}  // namespace
}  // namespace cmpost
