// The contract of JobQueue, on both queues of a spool and on the fake that other tests use.
#include "queue/job_queue.h"

#include "queue/spool.h"
#include "tests/support/fake_job_queue.h"
#include "tests/support/fake_random.h"
#include "tests/support/job_queue_contract.h"
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
