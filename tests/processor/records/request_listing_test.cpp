#include "processor/records/request_listing.h"

#include "processor/records/request_search.h"
#include "tests/processor/office.h"

namespace cmpost {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Granted, refused, granted, refused: an hour between each.
class RequestListing : public ::testing::Test {
 protected:
  RequestListing() {
    for (int i = 0; i < 4; ++i) {
      const auto subject = "CN=dev" + std::to_string(i);
      tids_.push_back(ask(subject, i % 2 == 0 ? CaUnderTest::kSecret : "wrong"));
      ca_.clock.advance(std::chrono::hours(1));
    }
  }

  Bytes ask(const std::string& subject, std::string_view secret) {
    const auto request = with_mac(ca_, ir(Credential(), subject), {}, secret);
    ca_.ask(request);
    return *decode(request)->header.transactionID;
  }

  std::vector<std::string> subjects(const ListFilter& filter) {
    std::vector<std::string> found;
    listed_ = must(list_requests(ca_.reader->connection(), filter,
                                 [&](const ListedRequest& one) -> Result<void> {
                                   found.push_back(one.subject);
                                   return {};
                                 }));
    return found;
  }

  CaUnderTest ca_;
  std::vector<Bytes> tids_;
  Listed listed_;
};

TEST_F(RequestListing, HasWhatWasGrantedAndWhatWasRefusedInTheOrderOfTime) {
  EXPECT_THAT(subjects({}), ElementsAre("CN=dev0", "CN=dev1", "CN=dev2", "CN=dev3"));
  EXPECT_THAT(subjects({.newest = true}), ElementsAre("CN=dev3", "CN=dev2", "CN=dev1", "CN=dev0"));
  EXPECT_EQ(listed_.all, 4);
}

TEST_F(RequestListing, IsCutAndCountsTheRest) {
  EXPECT_THAT(subjects({.limit = 2, .offset = 1}), ElementsAre("CN=dev1", "CN=dev2"));
  EXPECT_EQ(listed_.shown, 2);
  EXPECT_EQ(listed_.all, 4);
  EXPECT_THAT(subjects({.limit = 0}), IsEmpty());
  EXPECT_EQ(listed_.all, 4);
  EXPECT_THAT(subjects({.offset = 3}), ElementsAre("CN=dev3"));
}

// A row that is still being read keeps its connection at an older state.
TEST_F(RequestListing, WhoGivesUpHasReadNothingForever) {
  const auto give_up = [](const ListedRequest&) -> Result<void> { return hold("enough"); };
  EXPECT_THAT(list_requests(ca_.reader->connection(), {}, give_up), Fails("enough"));
  ask("CN=dev9", CaUnderTest::kSecret);
  EXPECT_THAT(subjects({.newest = true, .limit = 1}), ElementsAre("CN=dev9"));
}

TEST_F(RequestListing, FiltersAndSortsBoth) {
  EXPECT_THAT(subjects({.state = std::string(kRefusedState)}), ElementsAre("CN=dev1", "CN=dev3"));
  EXPECT_THAT(subjects({.state = "closed"}), ElementsAre("CN=dev0", "CN=dev2"));
  EXPECT_THAT(subjects({.subject = "dev2"}), ElementsAre("CN=dev2"));
  EXPECT_THAT(subjects({.requester = "mac:DEV1"}), SizeIs(4));
  EXPECT_THAT(subjects({.reason = "badMessageCheck"}), ElementsAre("CN=dev1", "CN=dev3"));
  EXPECT_THAT(subjects({.since = ca_.clock.now() - std::chrono::minutes(90)}),
              ElementsAre("CN=dev3"));
  EXPECT_THAT(subjects({.sort = "subject", .newest = true, .limit = 3}),
              ElementsAre("CN=dev3", "CN=dev2", "CN=dev1"));
}

TEST_F(RequestListing, RequestsAreFoundByTheBeginningOfTheirId) {
  for (const std::size_t digits : {32, 15, 10}) {
    const auto granted = must(find_requests(*ca_.reader, to_hex(tids_[0]).substr(0, digits), 9));
    EXPECT_THAT(granted.transactions, SizeIs(1)) << digits;
    const auto refused = must(find_requests(*ca_.reader, to_hex(tids_[1]).substr(0, digits), 9));
    EXPECT_THAT(refused.refused, SizeIs(1)) << digits;
    EXPECT_THAT(refused.transactions, IsEmpty()) << digits;
  }
}

TEST_F(RequestListing, RequestsAreFoundByTheSerialOfTheirCertificate) {
  const auto record = ca_.issued().front();
  const auto found = must(find_requests(*ca_.reader, to_hex(record.serial).substr(0, 20), 9));
  ASSERT_THAT(found.transactions, SizeIs(1));
  EXPECT_EQ(to_hex(found.transactions[0].transactionID), record.tid);
}

TEST_F(RequestListing, RequestsAreFoundByHowTheyCame) {
  auto lease = ca_.arrival(with_mac(ca_, ir(Credential()), {}, "wrong"));
  lease.job.envelope.source = "in/dev7.pki";
  EXPECT_TRUE(ca_.commit(must(respond(lease, *ca_.reader, ca_.services()))));
  EXPECT_THAT(must(find_requests(*ca_.reader, "dev7.pki", 9)).refused, SizeIs(1));
  EXPECT_TRUE(must(find_requests(*ca_.reader, "dev8.pki", 9)).is_empty());
}

// The newest message is the poll then, and what was asked for is what counts.
TEST(RequestListingOfPolled, TellsWhatTheRequestCameToAndNotThatItWasPolled) {
  Office ca("approve = \"one\"\nwaiting = \"always\"\n");
  const auto request = with_mac(ca, ir(Credential()));
  const auto told = ca.talk(request);
  ca.say(*decode(request)->header.transactionID, false, "alice", {}, "not in the list");
  ca.work();
  EXPECT_THAT(ca.talk(with_mac(ca, poll_req(0), following(told))),
              Refuses("ip", PKIFailureInfo::notAuthorized));
  for (const std::string reason : {"", "not in the list"}) {
    std::vector<std::string> reasons;
    must(list_requests(ca.reader->connection(), {.reason = reason},
                       [&](const ListedRequest& one) -> Result<void> {
                         reasons.push_back(one.reason);
                         return {};
                       }));
    EXPECT_THAT(reasons, ElementsAre(::testing::HasSubstr("not in the list"))) << reason;
  }
}

// A stranger may name any transactionID.
TEST_F(RequestListing, WhatWasRefusedUnderTheIdOfATransactionIsFoundWithIt) {
  MessageOptions same{.edit = [this](PKIHeader& header) { header.transactionID = tids_[0]; }};
  ca_.ask(with_mac(ca_, ir(Credential()), same, "wrong"));
  const auto found = must(find_requests(*ca_.reader, to_hex(tids_[0]), 9));
  EXPECT_THAT(found.transactions, SizeIs(1));
  EXPECT_THAT(found.refused, SizeIs(1));
}

}  // namespace
}  // namespace cmpost
