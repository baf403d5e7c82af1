#include "queue/spool.h"
#include "tests/support/fake_clock.h"
#include "tests/support/matchers.h"
#include "tests/support/numbered_jobs.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Two processes on one spool: one for the channel `night`, one for all others.
class ChannelScopes : public ::testing::Test {
 protected:
  std::unique_ptr<Spool> open(ChannelScope scope) {
    SpoolSettings settings{"sqlite:spool.db", directory_.path()};
    settings.scope = std::move(scope);
    return open_spool(settings, clock_).value();
  }
  static std::vector<std::string> sources(const std::vector<Lease>& leases) {
    std::vector<std::string> all;
    for (const auto& lease : leases) all.push_back(lease.job.envelope.source);
    return all;
  }

  const TemporaryDirectory directory_;
  FakeClock clock_;
  const std::unique_ptr<Spool> night_ = open({ChannelScope::Which::only, {"night"}});
  const std::unique_ptr<Spool> day_ = open({ChannelScope::Which::but, {"night"}});
};

TEST_F(ChannelScopes, TakeWhatIsTheirs) {
  const std::vector<Job> jobs = {numbered_job(1, "night"), numbered_job(2, "day"),
                                 numbered_job(3, "night"), numbered_job(4, "gone")};
  for (auto* queue : {&night_->requests(), &night_->replies()}) {
    ASSERT_THAT(queue->put(jobs), IsOk());
  }
  for (const auto queue : {&Spool::requests, &Spool::replies}) {
    EXPECT_THAT(sources((*night_.*queue)().take(1).value()), ElementsAre("1.pki"));
    EXPECT_THAT(sources((*day_.*queue)().take(10).value()), ElementsAre("2.pki", "4.pki"));
    EXPECT_THAT(sources((*night_.*queue)().take(10).value()), ElementsAre("3.pki"));
    EXPECT_THAT(sources((*day_.*queue)().take(10).value()), IsEmpty());
  }
}

TEST_F(ChannelScopes, DoNotWakeForWhatIsOfOthers) {
  const auto job = numbered_job(1, "night");
  ASSERT_THAT(night_->requests().put({&job, 1}), IsOk());
  EXPECT_THAT(day_->requests().take(10).value(), IsEmpty());
  const auto begin = std::chrono::steady_clock::now();
  day_->requests().wait_for_work(50ms);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 50ms) << "there is nothing for it";
  ASSERT_THAT(night_->requests().take(1), IsOk());
  ASSERT_THAT(night_->requests().defer(job.id, clock_.now() + 1s, "later"), IsOk());
  clock_.advance(2s);
  EXPECT_THAT(day_->requests().take(10).value(), IsEmpty());
  EXPECT_THAT(sources(night_->requests().take(10).value()), ElementsAre("1.pki"));
}

}  // namespace
}  // namespace cmpost
