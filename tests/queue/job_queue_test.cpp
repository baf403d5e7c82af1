// The contract of JobQueue, on both queues of a spool and on the fake that other tests use.
#include "queue/job_queue.h"

#include "queue/spool.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_job_queue.h"
#include "tests/support/fake_random.h"
#include "tests/support/job_queue_contract.h"
#include "tests/support/matchers.h"
#include "tests/support/spool_with_a_request.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {
namespace {

class SqliteRequests {
 public:
  explicit SqliteRequests(const Clock& clock)
      : spool_(open_spool({"sqlite:spool.db", directory_.path()}, clock).value()) {}
  JobQueue& queue() { return spool_->requests(); }

 protected:
  TemporaryDirectory directory_;
  std::unique_ptr<Spool> spool_;
};

class SqliteReplies : public SqliteRequests {
 public:
  using SqliteRequests::SqliteRequests;
  JobQueue& queue() { return spool_->replies(); }
};

class InMemory {
 public:
  explicit InMemory(const Clock& clock) : queue_(clock) {}
  JobQueue& queue() { return queue_; }

 private:
  FakeJobQueue queue_;
};

using Backends = ::testing::Types<SqliteRequests, SqliteReplies, InMemory>;
INSTANTIATE_TYPED_TEST_SUITE_P(All, JobQueueContract, Backends);

// A mail that was sent and comes back.
TEST(Replies, OneThatWasSentCanBounceAndBeSentAgain) {
  FakeClock clock;
  SqliteReplies replies(clock);
  auto& queue = replies.queue();
  const auto job = numbered_job(1);
  ASSERT_THAT(queue.put({&job, 1}), IsOk());
  ASSERT_THAT(queue.take(1), IsOk());
  ASSERT_THAT(queue.finish({&job.id, 1}, "sent"), IsOk());
  EXPECT_TRUE(queue.bounce(job.id, "no such user").value());
  EXPECT_FALSE(queue.bounce(job.id, "once more").value());
  const auto held = queue.find(job.id).value();
  EXPECT_EQ(held->state, JobState::held);
  EXPECT_EQ(held->reason, "no such user");
  EXPECT_TRUE(queue.retry(job.id).value());
  const auto again = queue.take(1).value();
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].job.payload, job.payload);
}

// Requests are answered from the ledger: their octets are not kept, so there is nothing to hold.
TEST(Requests, OneThatIsDoneCannotBounce) {
  FakeClock clock;
  SqliteRequests requests(clock);
  const auto job = numbered_job(1);
  ASSERT_THAT(requests.queue().put({&job, 1}), IsOk());
  ASSERT_THAT(requests.queue().take(1), IsOk());
  ASSERT_THAT(requests.queue().finish({&job.id, 1}, "answered"), IsOk());
  EXPECT_FALSE(requests.queue().bounce(job.id, "").value());
}

// A spool whose wall clock somebody sets.
class ClockThatIsSet : public ::testing::Test {
 protected:
  std::unique_ptr<Spool> open() {
    return open_spool({"sqlite:spool.db", directory_.path()}, SpoolClocks{wall_, steady_}).value();
  }
  // Leases job 1 and gives it back for so long.
  void defer(Spool& spool, Duration by) {
    ASSERT_THAT(spool.requests().put(numbered_jobs(1, 1)), IsOk());
    ASSERT_EQ(spool.requests().take(1)->size(), 1U);
    ASSERT_THAT(spool.requests().defer(numbered_job(1).id, wall_.now() + by, "later"), IsOk());
  }

  TemporaryDirectory directory_;
  FakeClock wall_, steady_{Time(std::chrono::hours(1))};
};

TEST_F(ClockThatIsSet, BackDoesNotDeferAJobForAsLong) {
  const auto spool = open();
  defer(*spool, std::chrono::minutes(5));
  EXPECT_TRUE(spool->requests().take(1)->empty());
  wall_.advance(-std::chrono::hours(1));
  EXPECT_EQ(spool->requests().take(1)->size(), 1U);
}

TEST_F(ClockThatIsSet, BackEndsAWait) {
  const auto spool = open();
  defer(*spool, std::chrono::minutes(5));
  EXPECT_TRUE(spool->requests().take(1)->empty());
  wall_.advance(-std::chrono::hours(1));
  spool->requests().wait_for_work(std::chrono::hours(1));
}

TEST_F(ClockThatIsSet, BackWhileNobodyRanIsNoticedByTheNextProcess) {
  defer(*open(), std::chrono::minutes(5));
  wall_.advance(-std::chrono::hours(24 * 365));
  EXPECT_EQ(open()->requests().take(1)->size(), 1U);
}

TEST_F(ClockThatIsSet, ByLittleChangesNothing) {
  const auto spool = open();
  defer(*spool, std::chrono::minutes(5));
  wall_.advance(-std::chrono::seconds(5));
  EXPECT_TRUE(spool->requests().take(1)->empty());
  EXPECT_EQ(open()->requests().find(numbered_job(1).id).value()->state, JobState::deferred);
}

TEST_F(ClockThatIsSet, AheadFreesNoLease) {
  const auto one = open(), other = open();
  ASSERT_THAT(one->requests().put(numbered_jobs(1, 1)), IsOk());
  ASSERT_EQ(one->requests().take(1)->size(), 1U);
  wall_.advance(std::chrono::hours(24 * 400));
  EXPECT_TRUE(other->requests().take(1)->empty()) << "it was leased a moment ago";
  wall_.advance(-std::chrono::hours(24 * 800));
  steady_.advance(std::chrono::minutes(10));
  EXPECT_EQ(other->requests().take(1)->size(), 1U);
}

TEST_F(ClockThatIsSet, ALeaseFromAnotherStartOfTheMachineRunsOut) {
  const auto one = open(), other = open();
  ASSERT_THAT(one->requests().put(numbered_jobs(1, 1)), IsOk());
  ASSERT_EQ(one->requests().take(1)->size(), 1U);
  steady_.set(Time{});
  EXPECT_TRUE(other->requests().take(1)->empty());
  steady_.advance(std::chrono::minutes(10));
  EXPECT_EQ(other->requests().take(1)->size(), 1U);
}

// While somebody lists them, another process puts more.
TEST(Listings, ShowAndCountWhatIsThereAtOneMoment) {
  FakeClock clock;
  const TemporaryDirectory directory;
  const auto open = [&] {
    return open_spool({"sqlite:spool.db", directory.path()}, clock).value();
  };
  const auto spool = open(), other = open();
  ASSERT_THAT(spool->requests().put(numbered_jobs(1, 3)), IsOk());
  const auto put_more = [&](const JobStatus&) -> Result<void> {
    TRY(other->requests().put(numbered_jobs(4, 6)));
    return {};
  };
  for (const auto limit : {std::optional<std::size_t>(1), std::optional<std::size_t>()}) {
    EXPECT_EQ(spool->requests().for_each({.limit = limit}, put_more).value(), limit ? 3 : 6);
  }
}

TEST(Listings, CountWhatLiesBehindTheCutAndBeforeIt) {
  FakeClock clock;
  SqliteRequests requests(clock);
  ASSERT_THAT(requests.queue().put(numbered_jobs(1, 5)), IsOk());
  std::size_t seen = 0;
  const auto note = [&](const JobStatus&) -> Result<void> {
    ++seen;
    return {};
  };
  EXPECT_EQ(requests.queue().for_each({.limit = 2, .offset = 2}, note).value(), 5);
  EXPECT_EQ(requests.queue().for_each({.limit = 9, .offset = 4}, note).value(), 5);
  EXPECT_EQ(requests.queue().for_each({.limit = 9, .offset = 9}, note).value(), 5);
  EXPECT_EQ(seen, 3U);
}

TEST(Listings, KnowStatesAndOrdersByTheirNames) {
  const auto filter = job_filter({.channel = "depots", .state = "held", .sort = "size"});
  ASSERT_THAT(filter, IsOk());
  EXPECT_EQ(filter->state, JobState::held);
  EXPECT_EQ(filter->channel, "depots");
  EXPECT_EQ(filter->sort, JobSort::size);
  EXPECT_EQ(job_filter({})->state, std::nullopt);
  EXPECT_THAT(job_filter({.state = "helt"}), Fails(::testing::HasSubstr("no state \"helt\"")));
  EXPECT_THAT(job_filter({.sort = "colour"}), Fails(::testing::HasSubstr("\"colour\"")));
}

using Exchanges = SpoolWithARequest;

TEST_F(Exchanges, EndTheRequestAndStartTheReply) {
  ASSERT_THAT(spool_->exchange(both()), IsOk());
  EXPECT_EQ(state_of_request(), JobState::done);
  EXPECT_TRUE(has_reply());
}

TEST_F(Exchanges, CountOnlyWhenTheyMayBeCommitted) {
  int asked = 0;
  const auto refuse = [&] {
    EXPECT_FALSE(has_reply()) << "not committed yet";
    ++asked;
    return false;
  };
  ASSERT_THAT(spool_->exchange(both(), refuse), IsOk());
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(state_of_request(), JobState::active);
  EXPECT_FALSE(has_reply());
  ASSERT_THAT(spool_->exchange(both()), IsOk());
  EXPECT_TRUE(has_reply());
}

TEST(Backoff, GrowsToFourHours) {
  using std::chrono::minutes;
  const minutes kSteps[] = {minutes(1), minutes(5), minutes(15), minutes(60), minutes(240)};
  FakeRandom random;
  for (int attempts = 1; attempts < 100; ++attempts) {
    const Duration step = kSteps[std::min(attempts, 5) - 1];
    EXPECT_GE(backoff(attempts, random), step * 8 / 10);
    EXPECT_LE(backoff(attempts, random), step * 12 / 10);
  }
  EXPECT_NE(backoff(1, random), backoff(1, random));
}

}  // namespace
}  // namespace cmpost
