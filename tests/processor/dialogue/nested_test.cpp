// Messages in messages: added protection and batches.
#include "tests/processor/office.h"

namespace cmpost {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class NestedTest : public ::testing::Test {
 protected:
  void start(const std::string& settings = "") {
    office_ = std::make_unique<Office>(settings);
    ca().ra_root.certify(ra_, "CN=RA", ca().clock.now(), ca().random);
  }
  Office& ca() { return *office_; }

  Bytes batch(std::vector<Bytes> members, const MessageOptions& options = {}) {
    return signed_by(ca(), ra_, body::nested{std::move(members)}, options);
  }
  // With the transactionID and the nonce of the message in it.
  Bytes added(const Bytes& inner) {
    const auto header = decode(inner)->header;
    return batch({inner}, {.implicit_confirm = false, .edit = [header](PKIHeader& outer) {
                             outer.transactionID = header.transactionID;
                             outer.senderNonce = header.senderNonce;
                           }});
  }
  Bytes request() { return with_mac(ca(), ir(Credential())); }

  static std::vector<PKIMessage> members(const PKIMessage& answer) {
    std::vector<PKIMessage> all;
    const auto* nested = std::get_if<body::nested>(&answer.body);
    EXPECT_NE(nested, nullptr) << body_name(answer.body);
    if (nested == nullptr) return all;
    for (const auto& der : nested->messages) {
      auto message = decode(der);
      EXPECT_TRUE(message);
      all.push_back(message.value_or(PKIMessage{}));
    }
    return all;
  }

  std::unique_ptr<Office> office_;
  Credential ra_;
};

using AddedProtection = NestedTest;
using BatchOfMessages = NestedTest;

TEST_F(AddedProtection, IsAnsweredWithTheAnswerToTheMessageInIt) {
  start();
  const auto inner = request();
  const auto answer = ca().talk(added(inner));
  EXPECT_EQ(certificate_in(answer).subject(), name("CN=dev1"));
  EXPECT_EQ(protection_kind(answer), ProtectionKind::password_based_mac) << "for the inner sender";
  EXPECT_EQ(answer.header.recipNonce, decode(inner)->header.senderNonce);
}

TEST_F(AddedProtection, StandsForTheApprovalOfOnePerson) {
  start("approve = \"one\"\n");
  certificate_in(ca().talk(added(request())));
  EXPECT_THAT(ca().post(request()), IsEmpty());
}

// Two pairs of eyes are not those of one, with two certificates for one key or for one name either.
TEST_F(AddedProtection, OfWhoAsksApprovesNothing) {
  start("approve = \"one\"\nwaiting = \"always\"\n");
  Credential again = ra_, namesake, other;
  ca().ra_root.certify(again, "CN=RA 2", ca().clock.now(), ca().random);
  ca().ra_root.certify(namesake, "CN=RA", ca().clock.now(), ca().random);
  ca().ra_root.certify(other, "CN=Another RA", ca().clock.now(), ca().random);
  for (const auto* one : {&ra_, &again, &namesake}) {
    const auto inner = signed_by(ca(), *one, ir(Credential(), "CN=admin"));
    EXPECT_EQ(status_in(ca().talk(added(inner))).status, PKIStatus::waiting);
    const auto second = signed_by(ca(), *one, ir(Credential(), "CN=admin"));
    const auto answers = members(ca().talk(batch({added(second), request()})));
    EXPECT_EQ(status_in(answers.at(0)).status, PKIStatus::waiting);
  }
  EXPECT_EQ(ca().certificates(), 0);
  certificate_in(ca().talk(added(signed_by(ca(), other, ir(Credential(), "CN=admin")))));
}

TEST_F(AddedProtection, ComesFromAnRaBySignatureWithTheIdentifiersCopied) {
  start();
  const auto inner = request();
  const auto header = decode(inner)->header;
  const MessageOptions same{.implicit_confirm = false, .edit = [&](PKIHeader& outer) {
                              outer.transactionID = header.transactionID;
                              outer.senderNonce = header.senderNonce;
                            }};
  EXPECT_THAT(ca().talk(with_mac(ca(), body::nested{{inner}}, same)),
              Refuses("error", PKIFailureInfo::wrongIntegrity));
  const MessageOptions other_nonce{.implicit_confirm = false, .edit = [&](PKIHeader& outer) {
                                     outer.transactionID = header.transactionID;
                                   }};
  EXPECT_THAT(ca().talk(batch({inner}, other_nonce)),
              Refuses("error", PKIFailureInfo::badSenderNonce));
  const auto device = enrolled(ca());
  EXPECT_THAT(ca().talk(signed_by(ca(), device, body::nested{{inner}}, same)),
              Refuses("error", PKIFailureInfo::notAuthorized));
  EXPECT_EQ(ca().certificates(), 1) << "of the device";
}

TEST_F(AddedProtection, WithAnotherTransactionIdIsABatchOfOneUnlessStrict) {
  start();
  EXPECT_THAT(members(ca().talk(batch({request()}))), SizeIs(1));
  start("strict = true\n");
  EXPECT_THAT(ca().talk(batch({request()})), Refuses("error", PKIFailureInfo::badRequest));
}

TEST_F(AddedProtection, SameOctetsAgainGetTheSameAnswer) {
  start();
  const auto message = added(request());
  const auto answer = ca().post(message);
  EXPECT_EQ(ca().post(message), answer);
  EXPECT_EQ(ca().certificates(), 1);
}

TEST_F(BatchOfMessages, EachMemberHasItsAnswerInTheSameOrder) {
  start();
  const auto device = enrolled(ca());
  const auto confirmed = ca().talk(with_mac(ca(), ir(Credential()), {.implicit_confirm = false}));
  const auto details = details_of(*device.certificate);
  const Credential other;
  const std::vector<Bytes> all = {
      request(),
      signed_by(ca(), device, body::cr{{cert_request(Credential(), "CN=dev1")}}),
      with_mac(ca(), body::p10cr{certification_request(other, "CN=dev1")}),
      signed_by(ca(), device, body::kur{{cert_request(Credential(), "CN=dev1")}}),
      with_mac(ca(), cert_conf(certificate_in(confirmed)), following(confirmed)),
      with_mac(ca(), ir(Credential()), {}, "guessed"),
      with_mac(ca(), body::genm{}),
      added(request()),
      signed_by(ca(), device, body::rr{{details}}),
  };
  const auto message = batch(all);
  const auto answer = ca().talk(message);
  EXPECT_EQ(answer.header.transactionID, decode(message)->header.transactionID);
  EXPECT_EQ(answer.header.recipNonce, decode(message)->header.senderNonce);
  std::vector<std::string> bodies;
  for (const auto& member : members(answer)) bodies.emplace_back(body_name(member.body));
  bodies[6] = "genm's";
  EXPECT_THAT(bodies, ::testing::ElementsAre("ip", "cp", "cp", "kup", "pkiconf", "error", "genm's",
                                             "ip", "rp"));
  const auto answers = members(answer);
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(answers[i].header.transactionID, decode(all[i])->header.transactionID);
    EXPECT_EQ(answers[i].header.recipNonce, decode(all[i])->header.senderNonce);
  }
}

TEST_F(BatchOfMessages, SameBatchAgainGetsTheSameOctets) {
  start();
  const auto message = batch({request(), request()});
  const auto answer = ca().post(message);
  EXPECT_EQ(ca().post(message), answer);
  EXPECT_EQ(ca().certificates(), 2);
}

TEST_F(BatchOfMessages, ProtectionOfTheBatchApprovesNothing) {
  start("approve = \"one\"\n");
  const auto message = batch({request(), request()});
  const auto answer = ca().talk(message);
  for (const auto& member : members(answer)) {
    EXPECT_EQ(status_in(member).status, PKIStatus::waiting) << "told whatever the channel says";
  }
  const auto waiting =
      must(TransactionTable(ca().reader->connection()).of_batch(*answer.header.transactionID));
  ASSERT_THAT(waiting, SizeIs(2));
  for (const auto& one : waiting) ca().say(one.transactionID, true);
  EXPECT_THAT(ca().work_and_send(), IsEmpty());
  std::vector<Bytes> polls;
  for (const auto& member : members(answer)) {
    polls.push_back(with_mac(ca(), poll_req(0), following(member)));
  }
  for (const auto& member : members(ca().talk(batch(polls)))) certificate_in(member);
}

TEST_F(BatchOfMessages, MembersThatDoNotGoTogetherAreRefusedOneByOne) {
  start();
  const auto good = request();
  const auto header = decode(good)->header;
  const auto same_tid =
      with_mac(ca(), ir(Credential()),
               {.edit = [&](PKIHeader& next) { next.transactionID = header.transactionID; }});
  const auto same_nonce =
      with_mac(ca(), ir(Credential()),
               {.edit = [&](PKIHeader& next) { next.senderNonce = header.senderNonce; }});
  const auto answers = members(ca().talk(batch({good, same_tid, same_nonce, {0x30, 0}})));
  ASSERT_THAT(answers, SizeIs(4));
  EXPECT_EQ(status_in(answers[0]).status, PKIStatus::accepted);
  EXPECT_THAT(answers[1], Refuses("error", PKIFailureInfo::transactionIdInUse));
  EXPECT_THAT(answers[2], Refuses("error", PKIFailureInfo::badSenderNonce));
  EXPECT_THAT(answers[3], Refuses("error", PKIFailureInfo::badDataFormat));
  EXPECT_EQ(ca().certificates(), 1);
}

TEST_F(BatchOfMessages, MemberWithAnIdentifierOfTheBatchIsRefused) {
  start();
  const std::vector<Bytes> all = {request(), request(), request()};
  const auto message = batch(all, {.edit = [&](PKIHeader& outer) {
                               outer.transactionID = decode(all[0])->header.transactionID;
                               outer.senderNonce = decode(all[2])->header.senderNonce;
                             }});
  const auto answers = members(ca().talk(message));
  ASSERT_THAT(answers, SizeIs(3));
  EXPECT_THAT(answers[0], Refuses("error", PKIFailureInfo::transactionIdInUse));
  EXPECT_EQ(status_in(answers[1]).status, PKIStatus::accepted);
  EXPECT_THAT(answers[2], Refuses("error", PKIFailureInfo::badSenderNonce));
  EXPECT_EQ(ca().certificates(), 1);
}

TEST_F(BatchOfMessages, OnAStrictChannelOneBadMemberIsAFaultOfTheWhole) {
  start("strict = true\n");
  EXPECT_THAT(ca().talk(batch({request(), with_mac(ca(), ir(Credential()), {}, "guessed")})),
              Refuses("error", PKIFailureInfo::badMessageCheck));
  EXPECT_EQ(ca().certificates(), 0);
  // What is wrong with a body is its own affair.
  const auto answers =
      members(ca().talk(batch({request(), with_mac(ca(), ir(Credential(), "CN=server"))})));
  ASSERT_THAT(answers, SizeIs(2));
  EXPECT_THAT(answers[1], Refuses("ip", PKIFailureInfo::notAuthorized));
}

TEST_F(BatchOfMessages, FaultOfTheBatchItselfAnswersTheBatchOnly) {
  start();
  const auto device = enrolled(ca());
  EXPECT_THAT(ca().talk(signed_by(ca(), device, body::nested{{request(), request()}})),
              Refuses("error", PKIFailureInfo::notAuthorized));
  EXPECT_THAT(ca().talk(batch({})), Refuses("error", PKIFailureInfo::badRequest));
  auto broken = batch({request(), request()});
  broken[broken.size() / 2] ^= 1;
  EXPECT_THAT(ca().talk(broken), Refuses("error", PKIFailureInfo::badMessageCheck));
  EXPECT_EQ(ca().certificates(), 1) << "of the device";
}

TEST_F(BatchOfMessages, ThreeDeepIsRefusedWithoutALookAtAnyProtection) {
  start();
  auto deep = batch({added(added(request())), request()});
  deep.back() ^= 1;  // what ends the message is the protection's or a certificate's: not looked at
  EXPECT_THAT(ca().talk(deep), Refuses("error", PKIFailureInfo::badRequest));
}

TEST_F(BatchOfMessages, BatchInABatchIsRefusedForItself) {
  start();
  const auto answers = members(ca().talk(batch({request(), batch({request(), request()})})));
  ASSERT_THAT(answers, SizeIs(2));
  EXPECT_EQ(status_in(answers[0]).status, PKIStatus::accepted);
  EXPECT_THAT(answers[1], Refuses("error", PKIFailureInfo::badRequest));
}

// Answers of members are stored once, with their own transactions; what is refused or answered
// before is not, and the batch has octets of its own.
TEST_F(BatchOfMessages, AnswerIsPutTogetherAgainFromThoseOfItsMembers) {
  start();
  const auto old = request();
  ca().post(old);
  const auto guessed = with_mac(ca(), ir(Credential()), {}, "guessed");
  const auto message = batch({guessed, request(), old, request(), request(), guessed});
  const auto answer = ca().post(message);
  ASSERT_THAT(members(ca().only(answer)), SizeIs(6));
  EXPECT_EQ(ca().post(message), answer);

  auto& connection = ca().reader->connection();
  auto* const row =
      must(connection.statement("SELECT length(reply), pieces FROM message WHERE body = 'nested'"));
  ASSERT_TRUE(must(row->step()));
  const auto own = row->integer(0);
  EXPECT_LT(own, static_cast<std::int64_t>(answer.at(0).size()) * 3 / 4);
  EXPECT_THAT(std::string(row->text(1)), ::testing::MatchesRegex("[0-9]+ [0-9]+\\+1 [0-9]+ "
                                                                 "[0-9]+\\+2 [0-9]+"));
  row->reset();
}

TEST_F(BatchOfMessages, IsForgottenWithTheFirstOfItsMembers) {
  start();
  const auto message = batch({request(), request()});
  ca().post(message);
  must(ca().ledger->write([](LedgerWriter& writer) {
    return writer.connection().execute("DELETE FROM message WHERE id = 1");
  }));
  EXPECT_THAT(ca().talk(message), Refuses("error", PKIFailureInfo::transactionIdInUse));
  EXPECT_EQ(ca().certificates(), 2);
  TransactionTable table(ca().reader->connection());
  const auto id = must(table.find(ByteView(*decode(message)->header.transactionID)))->id;
  EXPECT_THAT(must(table.first_message(id))->reply, IsEmpty());
  EXPECT_THAT(must(table.messages(id)).at(0).reply, IsEmpty());
}

// So many that they are read in rows, and written while others are still answered.
class LargeBatch : public NestedTest {
 protected:
  static constexpr int kMembers = 300;

  void start(const std::string& settings = "") {
    NestedTest::start(settings);
    ca().workers = 4;
  }

  std::vector<Bytes> requests(int count) {
    std::vector<Bytes> all;
    for (int i = 0; i < count; ++i) all.push_back(request());
    return all;
  }
};

TEST_F(LargeBatch, EachMemberHasItsAnswerInTheSameOrder) {
  start();
  const auto all = requests(kMembers);
  const auto message = batch(all);
  const auto answer = ca().post(message);
  const auto answers = members(ca().only(answer));
  ASSERT_THAT(answers, SizeIs(kMembers));
  for (std::size_t i = 0; i < answers.size(); ++i) {
    EXPECT_EQ(answers[i].header.transactionID, decode(all[i])->header.transactionID);
  }
  EXPECT_EQ(ca().certificates(), kMembers);
  EXPECT_EQ(ca().post(message), answer) << "the same octets again";
  EXPECT_EQ(ca().certificates(), kMembers);
  EXPECT_EQ(must(ca().ledger->verify_audit()), std::nullopt);
}

// The first two are worked on at the same time and do not know of each other.
TEST_F(LargeBatch, ConflictUndoesAllOfItAndItIsDoneAgain) {
  start();
  auto all = requests(kMembers);
  const auto message = batch(all);
  ca().put(all.back(), "alone");
  ca().put(message, "batch");
  const auto totals = ca().work();
  EXPECT_EQ(totals.answered, 2U);
  const auto sent = ca().sent();
  ASSERT_THAT(sent, SizeIs(2));
  EXPECT_EQ(ca().certificates(), kMembers) << "one of them asked for twice";
  EXPECT_EQ(must(ca().ledger->verify_audit()), std::nullopt);
}

TEST_F(LargeBatch, WrongMembersAreRefusedForThemselvesAmongManyGoodOnes) {
  start();
  auto all = requests(kMembers);
  const auto with_tid_of = [&](std::size_t other) {
    return with_mac(ca(), ir(Credential()), {.edit = [&](PKIHeader& next) {
                      next.transactionID = decode(all[other])->header.transactionID;
                    }});
  };
  all[100] = with_mac(ca(), ir(Credential()), {}, "guessed");
  all[101] = with_mac(ca(), ir(Credential()), {}, "guessed");
  all[200] = {0x30, 0};
  all[250] = with_tid_of(17);
  all[251] = with_tid_of(100);  // of one that is refused: free
  all[299] = all[3];
  const auto answers = members(ca().talk(batch(all)));
  ASSERT_THAT(answers, SizeIs(kMembers));
  EXPECT_THAT(answers[100], Refuses("error", PKIFailureInfo::badMessageCheck));
  EXPECT_THAT(answers[101], Refuses("error", PKIFailureInfo::badMessageCheck));
  EXPECT_THAT(answers[200], Refuses("error", PKIFailureInfo::badDataFormat));
  EXPECT_THAT(answers[250], Refuses("error", PKIFailureInfo::transactionIdInUse));
  EXPECT_EQ(status_in(answers[251]).status, PKIStatus::accepted);
  EXPECT_THAT(answers[299], Refuses("error", PKIFailureInfo::transactionIdInUse));
  EXPECT_EQ(ca().certificates(), kMembers - 5);
}

TEST_F(LargeBatch, OneWrongMemberIsAFaultOfTheWholeOnAStrictChannel) {
  start("strict = true\n");
  auto all = requests(kMembers);
  all[290] = with_mac(ca(), ir(Credential()), {}, "guessed");
  EXPECT_THAT(ca().talk(batch(all)), Refuses("error", PKIFailureInfo::badMessageCheck));
  EXPECT_EQ(ca().certificates(), 0);
}

TEST_F(LargeBatch, WithoutATransactionIdIsRefusedAsAWhole) {
  start();
  const auto answer = ca().talk(
      batch(requests(kMembers), {.edit = [](PKIHeader& header) { header.transactionID.reset(); }}));
  EXPECT_THAT(answer, Refuses("error", PKIFailureInfo::badDataFormat));
  EXPECT_EQ(ca().certificates(), 0);
}

TEST_F(LargeBatch, OfSomebodyWhoIsNoRaIsRefusedAsAWhole) {
  start();
  const auto device = enrolled(ca());
  const auto answer = ca().talk(signed_by(ca(), device, body::nested{requests(kMembers)}));
  EXPECT_THAT(answer, Refuses("error", PKIFailureInfo::notAuthorized));
  EXPECT_EQ(ca().certificates(), 1) << "that of the device";
}

TEST_F(LargeBatch, StandsInAGroupWithOthers) {
  start();
  const auto device = enrolled(ca());
  ca().put(signed_by(ca(), device, body::nested{{request(), request()}}), "of a stranger");
  ca().put(added(request()), "added");
  ca().put(batch(requests(kMembers)), "large");
  ca().put(batch({request(), request()}), "small");
  ca().put(request(), "alone");
  EXPECT_EQ(ca().work().answered, 5U);
  EXPECT_THAT(ca().sent(), SizeIs(5));
  EXPECT_EQ(ca().certificates(), 1 + 1 + kMembers + 2 + 1);
}

TEST_F(BatchOfMessages, TimeToConfirmStartsWhenTheAnswerToTheBatchHasLeft) {
  start("confirm_within = \"10d\"\n");
  ca().put(batch({with_mac(ca(), ir(Credential()), {.implicit_confirm = false}), request()}));
  ca().work();
  ca().clock.advance(std::chrono::hours(24 * 30));
  ca().timers();
  const auto sent = ca().sent();
  ASSERT_THAT(sent, SizeIs(1));
  const auto certificate = certificate_in(members(*decode(sent[0].payload))[0]);
  ca().clock.advance(std::chrono::hours(24 * 9));
  ca().timers();
  EXPECT_EQ(ca().record(certificate)->state, CertificateState::unconfirmed);
  ca().clock.advance(std::chrono::hours(24 * 2));
  ca().timers();
  EXPECT_EQ(ca().record(certificate)->state, CertificateState::revoked);
}

}  // namespace
}  // namespace cmpost
