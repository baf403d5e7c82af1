#include "outbox/dispatcher.h"

#include "base/log.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_job_queue.h"
#include "tests/support/fake_random.h"
#include "tests/support/matchers.h"
#include "tests/support/no_more_threads.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using What = Delivery::What;

// Does as it is told, and remembers what it was given.
class FakeEgress final : public Egress {
 public:
  explicit FakeEgress(std::string name) : name_(std::move(name)) {}
  const std::string& channel() const override { return name_; }
  Deliveries send(std::span<const Lease> leases, const std::stop_token&) override {
    Deliveries deliveries;
    if (on_send) on_send();
    for (const auto& lease : leases) {
      given.push_back(lease.job.envelope.reply.name);
      deliveries.each.push_back({trouble ? What::deferred : what, "told so"});
    }
    deliveries.trouble = trouble;
    groups.push_back(leases.size());
    return deliveries;
  }

  std::size_t group() const override { return most; }

  What what = What::sent;
  std::size_t most = 500;
  std::optional<Error> trouble;
  std::function<void()> on_send;
  std::vector<std::string> given;
  std::vector<std::size_t> groups;

 private:
  std::string name_;
};

class DispatcherTest : public ::testing::Test {
 protected:
  DispatcherTest() { log::configure({.level = log::Level::error}); }

  void put(const std::string& channel, int first, int count = 1) {
    std::vector<Job> jobs;
    for (int i = first; i < first + count; ++i) {
      Job job;
      job.id.octets = {static_cast<std::uint8_t>(channel.size()), static_cast<std::uint8_t>(i >> 8),
                       static_cast<std::uint8_t>(i)};
      job.envelope.reply.channel = channel;
      job.envelope.reply.name = channel + std::to_string(i);
      jobs.push_back(job);
    }
    ASSERT_THAT(queue_.put(jobs), IsOk());
  }
  Dispatched step() {
    auto done = dispatcher_.step();
    EXPECT_THAT(done, IsOk());
    return done.value_or(Dispatched{});
  }
  std::vector<JobStatus> jobs(JobState state) {
    return queue_.list({.state = state, .channel = {}}).value();
  }

  void pass(Duration time) {
    clock_.advance(time);
    steady_.advance(time);
  }

  FakeClock clock_, steady_{Time{}};
  FakeRandom random_;
  FakeJobQueue queue_{clock_};
  FakeEgress a_{"a"}, bb_{"bb"};
  TemporaryDirectory directory_;
  WayBook ways_{directory_.path(), clock_};
  Dispatcher dispatcher_{queue_, {&a_, &bb_}, clock_, steady_, random_, ways_};
};

TEST_F(DispatcherTest, AStopGivesBackWhatIsNotSent) {
  put("a", 1, 5);
  a_.most = 2;
  std::stop_source stop;
  a_.on_send = [&] { stop.request_stop(); };
  const auto done = dispatcher_.step(stop.get_token());
  ASSERT_THAT(done, IsOk());
  EXPECT_EQ(done->sent, 2U);
  EXPECT_EQ(done->deferred, 3U);
  EXPECT_EQ(step().sent, 3U) << "they are due at once";
}

TEST_F(DispatcherTest, EachAnswerGoesByItsChannelAndIsFinished) {
  put("a", 1);
  put("bb", 1);
  put("a", 2);
  EXPECT_EQ(step().sent, 3U);
  EXPECT_THAT(a_.given, ElementsAre("a1", "a2"));
  EXPECT_THAT(bb_.given, ElementsAre("bb1"));
  ASSERT_THAT(jobs(JobState::done), SizeIs(3));
  EXPECT_EQ(jobs(JobState::done)[0].reason, "sent");
  EXPECT_EQ(step().total(), 0U);
}

TEST_F(DispatcherTest, GroupsHaveFiveHundredAnswers) {
  put("a", 0, 1200);
  EXPECT_EQ(send_all(dispatcher_, {})->sent, 1200U);
  EXPECT_THAT(a_.groups, ElementsAre(500, 500, 200));
}

TEST_F(DispatcherTest, AChannelMayWantSmallerGroups) {
  a_.most = 2;
  put("a", 0, 5);
  EXPECT_EQ(step().sent, 5U);
  EXPECT_THAT(a_.groups, ElementsAre(2, 2, 1));
  EXPECT_THAT(jobs(JobState::done), SizeIs(5));
}

TEST_F(DispatcherTest, AfterTroubleTheRestOfTheGroupsIsNotTried) {
  a_.most = 2;
  a_.trouble = Error{Recovery::retry, "the server is gone", ""};
  put("a", 0, 5);
  EXPECT_EQ(step().deferred, 5U);
  EXPECT_THAT(a_.groups, ElementsAre(2));
}

TEST_F(DispatcherTest, AnAnswerThatFailsIsTriedAgainLaterAndLater) {
  a_.what = What::deferred;
  put("a", 1);
  EXPECT_EQ(step().deferred, 1U);
  auto deferred = jobs(JobState::deferred);
  ASSERT_THAT(deferred, SizeIs(1));
  EXPECT_EQ(deferred[0].reason, "told so");
  EXPECT_GE(deferred[0].due - clock_.now(), 48s);
  EXPECT_LE(deferred[0].due - clock_.now(), 72s);
  pass(72s);
  step();
  EXPECT_GE(jobs(JobState::deferred)[0].due - clock_.now(), 4min);
  a_.what = What::sent;
  pass(6min);
  EXPECT_EQ(step().sent, 1U);
}

TEST_F(DispatcherTest, AnAnswerThatCannotBeSentIsHeld) {
  a_.what = What::held;
  put("a", 1);
  EXPECT_EQ(step().held, 1U);
  EXPECT_EQ(jobs(JobState::held)[0].reason, "told so");
}

TEST_F(DispatcherTest, AnAnswerForAChannelThatIsNotThereIsHeld) {
  put("ccc", 1);
  EXPECT_EQ(step().held, 1U);
  EXPECT_THAT(jobs(JobState::held)[0].reason, HasSubstr("no channel 'ccc'"));
}

TEST_F(DispatcherTest, AChannelThatFailsRestsLongerAndLongerAndTheOthersGoOn) {
  a_.trouble = Error{Recovery::retry, "disk full", ""};
  put("a", 1);
  put("bb", 1);
  const auto done = step();
  EXPECT_EQ(done.sent, 1U);
  EXPECT_EQ(done.deferred, 1U);
  EXPECT_EQ(jobs(JobState::deferred)[0].due, clock_.now() + 5s);
  put("a", 2);
  put("bb", 2);
  step();
  EXPECT_THAT(a_.given, ElementsAre("a1"));  // a2 was not tried
  EXPECT_THAT(bb_.given, ElementsAre("bb1", "bb2"));
  pass(5s);
  step();
  EXPECT_THAT(a_.given, ElementsAre("a1", "a1", "a2"));
  EXPECT_EQ(jobs(JobState::deferred)[0].due, clock_.now() + 10s);
  const auto record = read_way(record_of(directory_ / "a", Way::out)).value();
  ASSERT_TRUE(record);
  EXPECT_EQ(record->condition, WayCondition::rests);
  EXPECT_EQ(record->why, "disk full");
  EXPECT_EQ(record->tries, 2);
  EXPECT_EQ(record->until, clock_.now() + 10s);
  a_.trouble.reset();
  pass(10s);
  EXPECT_EQ(step().sent, 2U);
  for (const auto* name : {"a", "bb"}) {
    EXPECT_EQ(read_way(record_of(directory_ / name, Way::out)).value()->condition,
              WayCondition::works)
        << name;
  }
}

TEST_F(DispatcherTest, AClockThatIsSetBackOrAheadChangesNoRest) {
  a_.trouble = bb_.trouble = Error{Recovery::retry, "disk full", ""};
  put("a", 1);
  put("bb", 1);
  step();
  a_.trouble.reset();
  put("a", 2);
  clock_.advance(24h);
  EXPECT_EQ(step().total(), 0U) << "all rest";
  clock_.advance(-48h);
  EXPECT_EQ(step().total(), 0U) << "all rest";
  steady_.advance(5s);
  EXPECT_EQ(step().sent, 1U);
  EXPECT_THAT(a_.given, ElementsAre("a1", "a2"));
}

TEST_F(DispatcherTest, NothingIsTakenWhileEveryChannelRests) {
  a_.trouble = bb_.trouble = Error{Recovery::retry, "disk full", ""};
  put("a", 1);
  put("bb", 1);
  step();
  put("a", 2);
  EXPECT_EQ(step().total(), 0U);
  EXPECT_THAT(jobs(JobState::waiting), SizeIs(1));
}

TEST_F(DispatcherTest, WhatWasSentIsFinishedWhenTheQueueWorksAgain) {
  class FailingFinish final : public Egress {
   public:
    explicit FailingFinish(FakeJobQueue& queue) : queue_(queue) {}
    const std::string& channel() const override { return name_; }
    Deliveries send(std::span<const Lease> leases, const std::stop_token&) override {
      queue_.fail_with({Recovery::retry, "locked", ""});
      ++sends;
      return {std::vector<Delivery>(leases.size(), {What::sent, ""}), {}};
    }
    int sends = 0;

   private:
    FakeJobQueue& queue_;
    std::string name_ = "a";
  };
  FailingFinish egress(queue_);
  Dispatcher dispatcher(queue_, {&egress}, clock_, steady_, random_, ways_);
  put("a", 1);
  EXPECT_THAT(dispatcher.step(), Fails(HasSubstr("locked")));
  EXPECT_THAT(dispatcher.step(), Fails(HasSubstr("locked")));
  queue_.go_on();
  EXPECT_THAT(dispatcher.step(), IsOk());
  EXPECT_EQ(egress.sends, 1);
  EXPECT_THAT(jobs(JobState::done), SizeIs(1));
}

TEST_F(DispatcherTest, TheLoopSendsWhatComesAndStopsWhenTold) {
  const auto loop = DispatchLoop::start(dispatcher_, queue_, ways_);
  ASSERT_THAT(loop, IsOk());
  for (int i = 0; i < 3; ++i) {
    put("a", i);
    while (jobs(JobState::done).size() < static_cast<std::size_t>(i) + 1)
      queue_.wait_for_work(10ms);
  }
}

TEST_F(DispatcherTest, ALoopWithoutAThreadIsAnError) {
  const NoMoreThreads none;
  EXPECT_THAT(DispatchLoop::start(dispatcher_, queue_, ways_),
              Fails(HasSubstr("starting a thread")));
}

}  // namespace
}  // namespace cmpost
