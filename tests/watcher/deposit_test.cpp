#include "watcher/deposit.h"

#include "base/log.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_job_queue.h"
#include "tests/support/matchers.h"
#include "tests/support/numbered_jobs.h"

namespace cmpost {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(GroupRoom, HoldsFiveHundredJobs) {
  GroupRoom room(10'000);
  EXPECT_EQ(room.jobs(), 500U);
  for (int i = 0; i < 500; ++i) {
    EXPECT_TRUE(room.has_room(1));
    EXPECT_FALSE(room.full());
    room.take(1);
  }
  EXPECT_FALSE(room.has_room(1));
  EXPECT_TRUE(room.full());
}

TEST(GroupRoom, HoldsSoManyOctetsAndOneJobOfAnySize) {
  GroupRoom room(10, 100);
  room.take(60);
  EXPECT_TRUE(room.has_room(40));
  EXPECT_FALSE(room.has_room(41));
  GroupRoom other(10, 100);
  EXPECT_TRUE(other.has_room(1000));
  other.take(1000);
  EXPECT_TRUE(other.full());
  EXPECT_FALSE(other.has_room(1));
}

TEST(GroupRoom, HoldsNoMoreThanTheLimitsAllow) {
  GroupRoom room(1);
  room.take(5);
  EXPECT_TRUE(room.full());
  EXPECT_FALSE(GroupRoom(0).has_room(1));
}

class DepositTest : public ::testing::Test {
 protected:
  DepositTest() {
    log::configure({.level = log::Level::error});
    settings_.name = "drop";
  }
  Deposit& deposit() {
    if (!deposit_) deposit_.emplace(settings_, queue_, clock_);
    return *deposit_;
  }

  FakeClock clock_;
  FakeJobQueue queue_{clock_};
  ChannelSettings settings_;
  std::optional<Deposit> deposit_;
};

TEST_F(DepositTest, CountsWhatIsNewAndWhatHadCome) {
  Intake intake;
  ASSERT_THAT(deposit().put(numbered_jobs(1, 2), intake), IsOk());
  ASSERT_THAT(deposit().put(numbered_jobs(2, 3), intake), IsOk());
  EXPECT_EQ(intake.deposited, 4U);
  EXPECT_EQ(intake.known, 1U);
}

TEST_F(DepositTest, AQueueThatFailsCountsNothing) {
  queue_.fail_with({Recovery::retry, "database is locked", ""});
  Intake intake;
  EXPECT_THAT(deposit().put(numbered_jobs(1, 2), intake), Fails(HasSubstr("locked")));
  EXPECT_EQ(intake.deposited, 0U);
}

TEST_F(DepositTest, WhatWasPutUsesUpTheRoom) {
  settings_.limits.max_pending = 3;
  EXPECT_EQ(deposit().room()->jobs(), 3U);
  Intake intake;
  ASSERT_THAT(deposit().put(numbered_jobs(1, 2), intake), IsOk());
  EXPECT_EQ(deposit().room()->jobs(), 1U);
  ASSERT_THAT(deposit().put(numbered_jobs(3, 3), intake), IsOk());
  EXPECT_EQ(deposit().room()->jobs(), 0U);
  EXPECT_TRUE(deposit().closed());
  deposit().tell_gate(intake);
  EXPECT_TRUE(intake.paused);
  EXPECT_EQ(intake.stuck, 0U) << "it opens by itself";
}

TEST_F(DepositTest, AJobOfAFileIsAnsweredUnderItsName) {
  const auto job = deposit().job_of(JobId{}, "dev1.pki");
  EXPECT_EQ(job.envelope.channel, "drop");
  EXPECT_EQ(job.envelope.source, "dev1.pki");
  EXPECT_EQ(job.envelope.reply.channel, "drop");
  EXPECT_EQ(job.envelope.reply.name, "dev1");
}

TEST_F(DepositTest, OnlyWhatWasTakenAndIsHeldIsSetAside) {
  Intake intake;
  ASSERT_THAT(deposit().put(numbered_jobs(1, 2), intake), IsOk());
  auto never_taken = numbered_job(3);
  never_taken.payload.clear();
  ASSERT_THAT(deposit().hold(never_taken, "too large"), IsOk());
  ASSERT_THAT(queue_.take(1), IsOk());
  ASSERT_THAT(queue_.hold(numbered_job(1).id, "no PKIMessage"), IsOk());
  std::vector<std::string> found;
  ASSERT_THAT(deposit().set_aside_refused([&](const JobStatus& job, const Error& why) {
    found.push_back(job.envelope.source + ": " + why.what);
    EXPECT_THAT(why.hint, HasSubstr("queue show " + job.id.text()));
    return Result<bool>(true);
  }),
              IsOk());
  EXPECT_THAT(found, ElementsAre("1.pki: no PKIMessage"));
}

TEST_F(DepositTest, WhyIsListedWithWhatToDo) {
  ASSERT_THAT(deposit().hold(numbered_job(1), "it is empty", "send it again"), IsOk());
  EXPECT_EQ(queue_.find(numbered_job(1).id).value()->reason, "it is empty (send it again)");
}

TEST(ReasonText, ShowsHostileTextAsWhatItIs) {
  const auto text = reason_text({}, "a\nb.pki", {Recovery::hold, "bad\x1b[2J", ""}, JobId{});
  EXPECT_THAT(text, HasSubstr("job:    " + JobId{}.text()));
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4);
}

}  // namespace
}  // namespace cmpost
