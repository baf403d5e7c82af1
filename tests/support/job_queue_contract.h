// What every JobQueue promises. A test program runs it on its implementation:
//   INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, JobQueueContract, SqliteRequests);
// The parameter is made from a FakeClock and has queue().
#pragma once

#include <gmock/gmock.h>

#include <thread>

#include "base/mutex.h"
#include "queue/job_queue.h"
#include "tests/support/fake_clock.h"
#include "tests/support/matchers.h"
#include "tests/support/numbered_jobs.h"

namespace cmpost {

inline std::vector<JobId> ids_of(const std::vector<Lease>& leases) {
  std::vector<JobId> ids;
  for (const auto& lease : leases) ids.push_back(lease.job.id);
  return ids;
}

template <typename Backend>
class JobQueueContract : public ::testing::Test {
 protected:
  JobQueue& queue() { return backend_.queue(); }

  void put(const Job& job) { ASSERT_THAT(queue().put({&job, 1}), IsOk()); }
  void put(int first, int last) { ASSERT_THAT(queue().put(numbered_jobs(first, last)), IsOk()); }
  std::vector<Lease> take(std::size_t max = 100) {
    auto leases = queue().take(max);
    EXPECT_THAT(leases, IsOk());
    return leases ? std::move(*leases) : std::vector<Lease>();
  }
  // The numbers of the jobs, from their source.
  std::vector<int> take_numbers(std::size_t max = 100) {
    std::vector<int> numbers;
    for (const auto& lease : take(max)) numbers.push_back(std::stoi(lease.job.envelope.source));
    return numbers;
  }
  void finish(const JobId& id) { ASSERT_THAT(queue().finish({&id, 1}, "sent"), IsOk()); }
  JobStatus status(int number) {
    const auto found = queue().find(numbered_job(number).id);
    EXPECT_THAT(found, IsOk());
    EXPECT_TRUE(found && *found) << "job " << number << " is not known";
    return found && *found ? **found : JobStatus{};
  }
  JobState state(int number) { return status(number).state; }
  Time now() { return clock_.now(); }

  FakeClock clock_;
  Backend backend_{clock_};
};

TYPED_TEST_SUITE_P(JobQueueContract);

TYPED_TEST_P(JobQueueContract, GivesBackWhatWasPut) {
  const auto job = numbered_job(1);
  this->put(job);
  const auto leases = this->take();
  ASSERT_EQ(leases.size(), 1U);
  EXPECT_EQ(leases[0].job.id, job.id);
  EXPECT_EQ(leases[0].job.envelope, job.envelope);
  EXPECT_EQ(leases[0].job.payload, job.payload);
  EXPECT_EQ(leases[0].attempts, 1);
  EXPECT_EQ(leases[0].arrived, this->now());
}

TYPED_TEST_P(JobQueueContract, TakesAnEmptyPayload) {
  auto job = numbered_job(1);
  job.payload.clear();
  this->put(job);
  const auto leases = this->take();
  ASSERT_EQ(leases.size(), 1U);
  EXPECT_TRUE(leases[0].job.payload.empty());
}

TYPED_TEST_P(JobQueueContract, PuttingTheSameIdTwiceKeepsOneJob) {
  EXPECT_EQ(this->queue().put(numbered_jobs(1, 3)).value(), 3U);
  EXPECT_EQ(this->queue().put(numbered_jobs(2, 4)).value(), 1U);
  EXPECT_EQ(this->take().size(), 4U);
}

TYPED_TEST_P(JobQueueContract, TheSameIdTwiceInOneGroupIsOneJob) {
  const std::vector<Job> jobs = {numbered_job(1), numbered_job(1)};
  EXPECT_EQ(this->queue().put(jobs).value(), 1U);
  EXPECT_EQ(this->take().size(), 1U);
}

TYPED_TEST_P(JobQueueContract, AnIdStaysKnownInEveryState) {
  this->put(1, 5);
  const auto leases = this->take(4);
  this->finish(leases[0].job.id);
  ASSERT_THAT(this->queue().defer(leases[1].job.id, this->now() + std::chrono::hours(1), "later"),
              IsOk());
  ASSERT_THAT(this->queue().hold(leases[2].job.id, "look"), IsOk());
  EXPECT_EQ(this->state(1), JobState::done);
  EXPECT_EQ(this->state(2), JobState::deferred);
  EXPECT_EQ(this->state(3), JobState::held);
  EXPECT_EQ(this->state(4), JobState::active);
  EXPECT_EQ(this->state(5), JobState::waiting);
  EXPECT_EQ(this->queue().put(numbered_jobs(1, 5)).value(), 0U);
  EXPECT_EQ(this->state(1), JobState::done);
}

// Whether one that was done can depends on whether its octets are kept.
TYPED_TEST_P(JobQueueContract, AJobThatIsNotDoneCannotBounce) {
  this->put(1, 2);
  const auto id = this->take(1)[0].job.id;
  EXPECT_FALSE(this->queue().bounce(id, "no such user").value());
  EXPECT_EQ(this->state(1), JobState::active);
  EXPECT_FALSE(this->queue().bounce(numbered_job(2).id, "no such user").value());
  EXPECT_EQ(this->state(2), JobState::waiting);
  EXPECT_FALSE(this->queue().bounce(numbered_job(9).id, "unknown").value());
}

TYPED_TEST_P(JobQueueContract, PuttingNothingIsFine) {
  EXPECT_EQ(this->queue().put({}).value(), 0U);
  EXPECT_TRUE(this->take().empty());
}

TYPED_TEST_P(JobQueueContract, LeasesTheOldestFirst) {
  this->put(5, 7);
  this->put(1, 2);
  EXPECT_EQ(this->take_numbers(2), (std::vector{5, 6}));
  EXPECT_EQ(this->take_numbers(), (std::vector{7, 1, 2}));
}

TYPED_TEST_P(JobQueueContract, ALeasedJobIsNotLeasedAgain) {
  this->put(1, 3);
  EXPECT_EQ(this->take(3).size(), 3U);
  EXPECT_TRUE(this->take().empty());
}

TYPED_TEST_P(JobQueueContract, FinishingEndsAJobAndKeepsTheReason) {
  this->put(1, 3);
  ASSERT_THAT(this->queue().finish(ids_of(this->take()), "answered"), IsOk());
  EXPECT_EQ(this->state(3), JobState::done);
  EXPECT_EQ(this->status(3).reason, "answered");
  EXPECT_EQ(this->status(3).size, numbered_job(3).payload.size());
  EXPECT_TRUE(this->take().empty());
}

TYPED_TEST_P(JobQueueContract, TheNewestThatIsDoneIsKnownByItsWayOutAndItsEnd) {
  const auto newest = [this](const std::string& channel, const std::string& reason) {
    const auto found = this->queue().newest_done(channel, reason).value();
    return found ? found->envelope.source : std::string("none");
  };
  EXPECT_EQ(newest("drop", "sent"), "none");
  this->put(1, 4);
  ASSERT_THAT(this->queue().finish(ids_of(this->take(3)), "sent"), IsOk());
  EXPECT_EQ(newest("drop", "sent"), "3.pki");
  ASSERT_THAT(this->queue().drop(numbered_job(4).id, "dropped"), IsOk());
  EXPECT_EQ(newest("drop", "sent"), "3.pki");
  EXPECT_EQ(newest("drop", "dropped"), "4.pki");
  EXPECT_EQ(newest("mail", "sent"), "none");
}

TYPED_TEST_P(JobQueueContract, FinishingSkipsWhatIsNotActive) {
  this->put(1, 5);
  this->take(3);
  ASSERT_THAT(this->queue().hold(numbered_job(2).id, "look"), IsOk());
  std::vector<JobId> ids;
  for (const auto& job : numbered_jobs(1, 6)) ids.push_back(job.id);
  ASSERT_THAT(this->queue().finish(ids, "sent"), IsOk());
  EXPECT_EQ(this->state(1), JobState::done);
  EXPECT_EQ(this->state(2), JobState::held);
  EXPECT_EQ(this->state(3), JobState::done);
  EXPECT_EQ(this->state(4), JobState::waiting);
  EXPECT_EQ(this->queue().payload(numbered_job(2).id).value(), numbered_job(2).payload);
}

TYPED_TEST_P(JobQueueContract, ADeferredJobComesBackWhenItIsDue) {
  this->put(1, 2);
  const auto id = this->take(1)[0].job.id;
  ASSERT_THAT(this->queue().defer(id, this->now() + std::chrono::minutes(5), "refused"), IsOk());
  EXPECT_EQ(this->status(1).reason, "refused");
  EXPECT_EQ(this->status(1).due, this->now() + std::chrono::minutes(5));
  EXPECT_EQ(this->take_numbers(), (std::vector{2}));
  this->clock_.advance(std::chrono::minutes(5));
  const auto leases = this->take();
  ASSERT_EQ(leases.size(), 1U);
  EXPECT_EQ(leases[0].job.id, id);
  EXPECT_EQ(leases[0].attempts, 2);
}

TYPED_TEST_P(JobQueueContract, ADueJobKeepsItsPlaceBeforeYoungerOnes) {
  this->put(1, 1);
  ASSERT_THAT(this->queue().defer(this->take()[0].job.id, this->now(), "refused"), IsOk());
  this->put(2, 2);
  EXPECT_EQ(this->take_numbers(1), (std::vector{1}));
}

TYPED_TEST_P(JobQueueContract, AHeldJobWaitsForAnOperator) {
  this->put(1, 1);
  ASSERT_THAT(this->queue().hold(this->take()[0].job.id, "no such key"), IsOk());
  EXPECT_EQ(this->status(1).reason, "no such key");
  this->clock_.advance(std::chrono::hours(1000));
  EXPECT_TRUE(this->take().empty());
  EXPECT_TRUE(this->queue().release(numbered_job(1).id).value());
  EXPECT_FALSE(this->queue().release(numbered_job(1).id).value());
  EXPECT_EQ(this->take().size(), 1U);
}

TYPED_TEST_P(JobQueueContract, ALeaseTellsHowOftenAPersonHasReleasedWhatWasHeld) {
  this->put(1, 1);
  const auto id = numbered_job(1).id;
  const auto taken = [&] { return this->take().at(0).releases; };
  EXPECT_EQ(taken(), 0);
  ASSERT_THAT(this->queue().defer(id, this->now() + std::chrono::hours(1), ""), IsOk());
  EXPECT_TRUE(this->queue().retry(id).value());
  EXPECT_EQ(taken(), 0) << "it was not held";
  ASSERT_THAT(this->queue().hold(id, ""), IsOk());
  EXPECT_TRUE(this->queue().release(id).value());
  EXPECT_EQ(taken(), 1);
  ASSERT_THAT(this->queue().hold(id, ""), IsOk());
  EXPECT_TRUE(this->queue().retry(id).value());
  EXPECT_EQ(taken(), 2);
}

TYPED_TEST_P(JobQueueContract, RetryWakesDeferredAndHeldJobsOnly) {
  this->put(1, 4);
  this->take(3);
  ASSERT_THAT(this->queue().defer(numbered_job(1).id, this->now() + std::chrono::hours(1), ""),
              IsOk());
  ASSERT_THAT(this->queue().hold(numbered_job(2).id, ""), IsOk());
  EXPECT_TRUE(this->queue().retry(numbered_job(1).id).value());
  EXPECT_TRUE(this->queue().retry(numbered_job(2).id).value());
  EXPECT_FALSE(this->queue().retry(numbered_job(3).id).value());
  EXPECT_FALSE(this->queue().retry(numbered_job(4).id).value());
  EXPECT_FALSE(this->queue().retry(numbered_job(99).id).value());
  EXPECT_EQ(this->take_numbers(), (std::vector{1, 2, 4}));
}

TYPED_TEST_P(JobQueueContract, AnActiveJobCannotBeDropped) {
  this->put(1, 2);
  this->take(1);
  EXPECT_FALSE(this->queue().drop(numbered_job(1).id, "dropped").value());
  EXPECT_TRUE(this->queue().drop(numbered_job(2).id, "dropped").value());
  EXPECT_FALSE(this->queue().drop(numbered_job(2).id, "dropped").value());
  EXPECT_EQ(this->state(2), JobState::done);
  EXPECT_EQ(this->status(2).reason, "dropped");
}

TYPED_TEST_P(JobQueueContract, ADroppedJobKeepsItsOctets) {
  this->put(1, 1);
  ASSERT_TRUE(this->queue().drop(numbered_job(1).id, "dropped").value());
  EXPECT_EQ(this->queue().payload(numbered_job(1).id).value(), numbered_job(1).payload);
}

TYPED_TEST_P(JobQueueContract, InputThatCouldNotBeTakenIsListedAsHeld) {
  ASSERT_THAT(this->queue().put_held(numbered_job(1), "too large"), IsOk());
  ASSERT_THAT(this->queue().put_held(numbered_job(1), "again"), IsOk());
  EXPECT_EQ(this->state(1), JobState::held);
  EXPECT_EQ(this->status(1).reason, "too large");
  EXPECT_TRUE(this->take().empty());
  EXPECT_EQ(this->queue().put(numbered_jobs(1, 1)).value(), 0U);
}

TYPED_TEST_P(JobQueueContract, ListsByStateAndChannel) {
  this->put(1, 3);
  this->put(numbered_job(4, "depots"));
  this->take(1);
  EXPECT_EQ(this->queue().list({}).value().size(), 4U);
  EXPECT_EQ(this->queue().list({JobState::waiting, {}, 1000}).value().size(), 3U);
  EXPECT_EQ(this->queue().list({JobState::waiting, {}, 2}).value().size(), 2U);
  EXPECT_EQ(this->queue().list({{}, "depots", 1000}).value().size(), 1U);
  EXPECT_EQ(this->queue().list({JobState::active, "depots", 1000}).value().size(), 0U);
  const auto jobs = this->queue().list({JobState::waiting, "drop", 1000}).value();
  ASSERT_EQ(jobs.size(), 2U);
  EXPECT_EQ(jobs[0].envelope, numbered_job(2).envelope);
  EXPECT_EQ(jobs[0].size, numbered_job(2).payload.size());
}

TYPED_TEST_P(JobQueueContract, HandsJobsOverOneByOne) {
  this->put(1, 3);
  this->put(numbered_job(4, "depots"));
  std::vector<JobId> seen;
  const auto note = [&](const JobStatus& job) -> Result<void> {
    seen.push_back(job.id);
    return {};
  };
  EXPECT_EQ(this->queue().for_each({}, note).value(), 4);
  EXPECT_EQ(seen.size(), 4U);
  EXPECT_EQ(seen.at(3), numbered_job(4, "depots").id);
  EXPECT_EQ(this->queue().for_each({.channel = "depots"}, note).value(), 1);
  EXPECT_EQ(this->queue().for_each({.state = JobState::held}, note).value(), 0);
  EXPECT_EQ(seen.size(), 5U);
  EXPECT_EQ(this->queue().for_each({.limit = 2}, note).value(), 4) << "what is cut off counts";
  EXPECT_EQ(seen.size(), 7U);
}

TYPED_TEST_P(JobQueueContract, FindsIdsByTheirBeginning) {
  this->put(1, 3);
  const auto id = numbered_job(2).id;
  EXPECT_EQ(this->queue().ids_beginning(id.text(), 5).value(), std::vector<JobId>{id});
  EXPECT_EQ(this->queue().ids_beginning(id.text().substr(0, 13), 5).value(),
            std::vector<JobId>{id});
  EXPECT_TRUE(this->queue().ids_beginning("ffffffffffffffffffff", 5).value().empty());
}

TYPED_TEST_P(JobQueueContract, CountsByState) {
  EXPECT_FALSE(this->queue().counts().value().oldest);
  const auto start = this->now();
  this->put(1, 2);
  this->clock_.advance(std::chrono::minutes(1));
  this->put(3, 6);
  const auto ids = ids_of(this->take(5));
  this->finish(ids[0]);
  ASSERT_THAT(this->queue().defer(ids[3], this->now() + std::chrono::hours(1), ""), IsOk());
  ASSERT_THAT(this->queue().hold(ids[4], ""), IsOk());
  const auto counts = this->queue().counts().value();
  EXPECT_EQ(counts.waiting, 1U);
  EXPECT_EQ(counts.active, 2U);
  EXPECT_EQ(counts.deferred, 1U);
  EXPECT_EQ(counts.held, 1U);
  EXPECT_EQ(counts.done, 1U);
  EXPECT_EQ(counts.oldest, start);
}

TYPED_TEST_P(JobQueueContract, CountsWhatAChannelHasPending) {
  this->put(1, 4);
  Job other = numbered_job(5);
  other.envelope.channel = "depots";
  ASSERT_THAT(this->queue().put({&other, 1}), IsOk());
  const auto channel = numbered_job(1).envelope.channel;
  EXPECT_EQ(this->queue().pending(channel).value(), 4U);
  const auto ids = ids_of(this->take(3));
  this->finish(ids[0]);
  ASSERT_THAT(this->queue().hold(ids[1], ""), IsOk());
  EXPECT_EQ(this->queue().pending(channel).value(), 2U);
  EXPECT_EQ(this->queue().pending("nobody").value(), 0U);
}

TYPED_TEST_P(JobQueueContract, WhatADeferredGroupWaitedForCanWakeIt) {
  this->put(1, 3);
  const auto ids = ids_of(this->take(3));
  this->finish(ids[0]);
  ASSERT_THAT(this->queue().defer_all({&ids[1], 2}, this->now() + std::chrono::hours(4), "away"),
              IsOk());
  EXPECT_TRUE(this->take().empty());
  EXPECT_EQ(this->queue().wake("nobody").value(), 0U);
  EXPECT_EQ(this->queue().wake(numbered_job(2).envelope.reply.channel).value(), 2U);
  EXPECT_EQ(this->take().size(), 2U);
}

TYPED_TEST_P(JobQueueContract, LeasesWhatGoesOutByOneChannelWhetherOrNotItIsDue) {
  this->put(1, 3);
  Job other = numbered_job(4);
  other.envelope.reply.channel = "courier";
  Job second = numbered_job(5);
  second.envelope.reply.channel = "courier";
  this->put(other);
  const auto ids = ids_of(this->take(4));
  ASSERT_THAT(this->queue().defer_all({&ids[1], 3}, this->now() + std::chrono::hours(4), "away"),
              IsOk());
  this->put(second);
  const auto before = this->queue().counts_of("courier").value();
  EXPECT_EQ(before.deferred, 1U);
  EXPECT_EQ(before.waiting, 1U);
  EXPECT_EQ(this->queue().take_of("courier", 0).value().size(), 0U);
  const auto first = this->queue().take_of("courier", 1).value();
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].job.id, other.id);
  EXPECT_EQ(first[0].job.payload, other.payload);
  EXPECT_EQ(first[0].attempts, 2);
  const auto more = this->queue().take_of("courier", 10).value();
  ASSERT_EQ(more.size(), 1U);
  EXPECT_EQ(more[0].job.id, second.id);
  EXPECT_TRUE(this->queue().take_of("courier", 10).value().empty());
  EXPECT_EQ(this->queue().counts_of("courier").value().active, 2U);
  this->finish(other.id);
  EXPECT_EQ(this->state(4), JobState::done);
  EXPECT_EQ(this->queue().counts_of("courier").value().active, 1U);
  EXPECT_EQ(this->queue().counts_of(numbered_job(1).envelope.reply.channel).value().deferred, 2U);
}

TYPED_TEST_P(JobQueueContract, PurgeForgetsOnlyWhatIsDoneAndOld) {
  this->put(1, 4);
  const auto ids = ids_of(this->take(2));
  this->finish(ids[0]);
  this->clock_.advance(std::chrono::hours(1));
  const auto before = this->now();
  this->clock_.advance(std::chrono::hours(1));
  this->finish(ids[1]);
  EXPECT_EQ(this->queue().purge(before).value(), 1U);
  EXPECT_EQ(this->queue().purge(before).value(), 0U);
  EXPECT_FALSE(this->queue().find(ids[0]).value());
  EXPECT_EQ(this->state(2), JobState::done);
  EXPECT_EQ(this->queue().counts().value().waiting, 2U);
  EXPECT_EQ(this->queue().counts().value().done, 1U);
}

TYPED_TEST_P(JobQueueContract, APurgedIdIsNewAgain) {
  this->put(1, 2);
  ASSERT_THAT(this->queue().finish(ids_of(this->take()), "sent"), IsOk());
  this->clock_.advance(std::chrono::hours(1));
  EXPECT_EQ(this->queue().purge(this->now()).value(), 2U);
  EXPECT_EQ(this->queue().put(numbered_jobs(1, 3)).value(), 3U);
  EXPECT_EQ(this->take_numbers(), (std::vector{1, 2, 3}));
}

TYPED_TEST_P(JobQueueContract, APutEndsTheWait) {
  EXPECT_TRUE(this->take().empty());
  const auto start = std::chrono::steady_clock::now();
  std::jthread putter([this] { this->put(1, 1); });
  this->queue().wait_for_work(std::chrono::minutes(1));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(50));
  putter.join();
  EXPECT_EQ(this->take().size(), 1U);
}

TYPED_TEST_P(JobQueueContract, NewsEndTheWaitOrTheNextOne) {
  EXPECT_TRUE(this->take().empty());
  const auto start = std::chrono::steady_clock::now();
  std::jthread other([this] { this->queue().end_wait(); });
  this->queue().wait_for_work(std::chrono::minutes(1));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(50));
  EXPECT_TRUE(this->take().empty());
}

TYPED_TEST_P(JobQueueContract, AWaitInVainEndsAtItsTime) {
  EXPECT_TRUE(this->take().empty());
  this->queue().wait_for_work(std::chrono::milliseconds(1));
  EXPECT_TRUE(this->take().empty());
}

TYPED_TEST_P(JobQueueContract, ManyThreadsLeaseEachJobOnce) {
  constexpr int kJobs = 400;
  Mutex mutex;
  std::vector<int> seen;
  const auto work = [&] {
    for (;;) {
      const auto leases = this->take(7);
      if (leases.empty()) return;
      EXPECT_THAT(this->queue().finish(ids_of(leases), "sent"), IsOk());
      EXPECT_THAT(this->queue().counts(), IsOk());
      const MutexLock lock(mutex);
      for (const auto& lease : leases) seen.push_back(std::stoi(lease.job.envelope.source));
    }
  };
  this->put(1, kJobs / 2);
  {
    std::vector<std::jthread> threads;
    threads.emplace_back([&] { this->put(kJobs / 2 + 1, kJobs); });
    threads.emplace_back([&] { this->put(kJobs / 4, kJobs); });
    for (int i = 0; i < 3; ++i) threads.emplace_back(work);
  }
  work();
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(std::unique(seen.begin(), seen.end()), seen.end());
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(kJobs));
}

REGISTER_TYPED_TEST_SUITE_P(
    JobQueueContract, GivesBackWhatWasPut, TakesAnEmptyPayload, PuttingTheSameIdTwiceKeepsOneJob,
    TheSameIdTwiceInOneGroupIsOneJob, AnIdStaysKnownInEveryState, AJobThatIsNotDoneCannotBounce,
    PuttingNothingIsFine, LeasesTheOldestFirst, ALeasedJobIsNotLeasedAgain,
    FinishingEndsAJobAndKeepsTheReason, TheNewestThatIsDoneIsKnownByItsWayOutAndItsEnd,
    FinishingSkipsWhatIsNotActive, ADeferredJobComesBackWhenItIsDue,
    ADueJobKeepsItsPlaceBeforeYoungerOnes, AHeldJobWaitsForAnOperator,
    ALeaseTellsHowOftenAPersonHasReleasedWhatWasHeld, RetryWakesDeferredAndHeldJobsOnly,
    AnActiveJobCannotBeDropped, ADroppedJobKeepsItsOctets, InputThatCouldNotBeTakenIsListedAsHeld,
    ListsByStateAndChannel, HandsJobsOverOneByOne, FindsIdsByTheirBeginning, CountsByState,
    CountsWhatAChannelHasPending, WhatADeferredGroupWaitedForCanWakeIt,
    LeasesWhatGoesOutByOneChannelWhetherOrNotItIsDue, PurgeForgetsOnlyWhatIsDoneAndOld,
    APurgedIdIsNewAgain, APutEndsTheWait, NewsEndTheWaitOrTheNextOne, AWaitInVainEndsAtItsTime,
    ManyThreadsLeaseEachJobOnce);

}  // namespace cmpost
