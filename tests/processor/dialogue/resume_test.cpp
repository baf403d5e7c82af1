// What the ledger says in the end of a request whose parts were decided one after the other.
#include "processor/dialogue/resume.h"

#include "tests/processor/office.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class OutcomeOfParts : public ::testing::Test {
 protected:
  Bytes ask_for_two(const std::string& second = "CN=dev1") {
    const auto request =
        with_mac(ca, body::ir{{cert_request(Credential(), "CN=dev1"),
                               cert_request(Credential(), second, {.certReqId = 1})}});
    ca.post(request);
    return *decode(request)->header.transactionID;
  }
  void decide(const Bytes& tid, bool approves, std::int64_t part, std::string reason = {}) {
    EXPECT_EQ(ca.say(tid, approves, "alice", part, std::move(reason)), Decided::done);
    ca.work();
  }
  std::string outcome(const Bytes& tid) {
    return must(TransactionTable(ca.reader->connection()).messages(ca.transaction(tid).id))
        .at(0)
        .outcome;
  }

  Office ca{"approve = \"one\"\nwaiting = \"always\"\n"};
};

TEST_F(OutcomeOfParts, GrantedFirstAndRejectedThenItIsPartlyRejected) {
  const auto tid = ask_for_two();
  decide(tid, true, 0);
  decide(tid, false, 1, "not in the list");
  EXPECT_THAT(outcome(tid), StartsWith("partly rejection notAuthorized: "));
  EXPECT_THAT(outcome(tid), HasSubstr("not in the list"));
}

TEST_F(OutcomeOfParts, RejectedFirstAndGrantedThenItIsPartlyRejected) {
  const auto tid = ask_for_two();
  decide(tid, false, 0, "not in the list");
  decide(tid, true, 1);
  EXPECT_THAT(outcome(tid), StartsWith("partly rejection notAuthorized: "));
  EXPECT_THAT(outcome(tid), HasSubstr("not in the list"));
}

TEST_F(OutcomeOfParts, RefusedOnArrivalAndTheRestGrantedItIsPartlyRejected) {
  const auto tid = ask_for_two("CN=server");
  decide(tid, true, 0);
  EXPECT_THAT(outcome(tid), StartsWith("partly rejection notAuthorized: "));
}

TEST_F(OutcomeOfParts, AllOneWayItIsThat) {
  const auto granted = ask_for_two();
  decide(granted, true, 0);
  decide(granted, true, 1);
  EXPECT_EQ(outcome(granted), "accepted");
  const auto rejected = ask_for_two();
  decide(rejected, false, 0, "first");
  decide(rejected, false, 1, "last");
  EXPECT_THAT(outcome(rejected), StartsWith("rejection notAuthorized: "));
  EXPECT_THAT(outcome(rejected), HasSubstr("last"));
  EXPECT_THAT(outcome(rejected), Not(HasSubstr("first")));
}

TEST(OutcomeOfPartsAlone, WhatWasNotToldIsNotGranted) {
  WaitingPart told, untold;
  told.certReqId = 0;
  told.answer = body::ip{{std::nullopt, {{0, {}, std::nullopt, std::nullopt}}}};
  untold.certReqId = 1;
  untold.answer = told.answer;
  EXPECT_EQ(outcome_of(std::vector{told}), "accepted");
  EXPECT_EQ(outcome_of(std::vector{told, untold}), "unknown: the answer says nothing of request 1");
}

// Whether it was granted already nobody knows.
TEST_F(OutcomeOfParts, PartInAnUnknownStateHoldsTheRequest) {
  const auto tid = ask_for_two();
  must(ca.ledger->write([&](LedgerWriter& writer) -> Result<void> {
    TRY(change(writer.connection(), "UPDATE wait_part SET state = 'Delivered'"));
    return {};
  }));
  const auto waiting = WaitTable(ca.reader->connection()).find(ca.transaction(tid).id);
  EXPECT_THAT(waiting, Fails(HasSubstr("Delivered")));
}

}  // namespace
}  // namespace cmpost
