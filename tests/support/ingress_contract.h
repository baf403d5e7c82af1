// What every Ingress promises. A test program runs it on its implementation:
//   INSTANTIATE_TYPED_TEST_SUITE_P(OneWay, IngressContract, OneWaySite);
// The parameter is a site: a source that the test fills and an Ingress that looks at it. It is made
// from IngressSurroundings and has
//   make()           a new Ingress, as of a process that was just started
//   offer(number)    puts a whole request there: contract_request(number)
//   offer_nonsense() puts something there that is no request and never will be
//   settle           how long the source must be left alone before all of it is taken
#pragma once

#include <gmock/gmock.h>

#include <memory>
#include <set>
#include <string>
#include <thread>

#include "base/log.h"
#include "config/channel_settings.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_job_queue.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"
#include "watcher/ingress.h"

namespace cmpost {

// DER, so that it is taken for a message; nobody reads further here.
inline std::string contract_request(int number) {
  return {'\x30', '\x03', '\x02', '\x01', static_cast<char>(number)};
}

struct IngressSurroundings {
  TemporaryDirectory directory;
  FakeClock wall{SystemClock().now()};
  FakeClock steady;
  FakeJobQueue queue{wall};
  ChannelSettings settings;
};

template <typename Site>
class IngressContract : public ::testing::Test {
 protected:
  IngressContract() {
    log::configure({.level = log::Level::error});
    around_.settings.name = "source";
    around_.settings.state = around_.directory / "state";
    around_.settings.max_message = 1000;
  }
  // As a process that was just started.
  void start() {
    if (!site_) site_.emplace(around_);
    ingress_ = site_->make();
  }
  Intake look(const std::stop_token& stop = {}) { return look(*ingress_, stop); }
  Intake look(Ingress& ingress, const std::stop_token& stop = {}) {
    auto intake = ingress.poll(stop);
    EXPECT_THAT(intake, IsOk());
    return intake.value_or(Intake{});
  }
  // Until everything that was offered must have been taken.
  Intake take_in() {
    Intake all;
    for (int i = 0; i < 3; ++i) {
      all += look();
      around_.steady.advance(site_->settle);
    }
    return all;
  }
  // The requests in the queue, each by its octets.
  std::multiset<std::string> payloads() {
    std::multiset<std::string> found;
    const auto jobs = queue().list({.state = {}, .channel = {}}).value();
    for (const auto& job : jobs) {
      if (job.state == JobState::held) continue;
      EXPECT_EQ(job.envelope.channel, "source");
      EXPECT_EQ(job.envelope.reply.channel, "source");
      EXPECT_FALSE(job.envelope.source.empty());
      found.emplace(text_of(queue().payload(job.id).value()));
    }
    return found;
  }
  static std::multiset<std::string> requests(int first, int last) {
    std::multiset<std::string> all;
    for (int i = first; i <= last; ++i) all.insert(contract_request(i));
    return all;
  }
  FakeJobQueue& queue() { return around_.queue; }

  IngressSurroundings around_;
  std::optional<Site> site_;
  std::unique_ptr<Ingress> ingress_;
};

TYPED_TEST_SUITE_P(IngressContract);

TYPED_TEST_P(IngressContract, TakesAllThatIsReadyOnce) {
  this->start();
  EXPECT_EQ(this->ingress_->channel(), "source");
  for (int i = 1; i <= 3; ++i) this->site_->offer(i);
  const auto all = this->take_in();
  EXPECT_EQ(all.deposited, 3U);
  EXPECT_EQ(all.known, 0U);
  EXPECT_EQ(this->payloads(), this->requests(1, 3));
  EXPECT_EQ(this->take_in().deposited, 0U);
  this->start();
  EXPECT_EQ(this->take_in().deposited, 0U);
  EXPECT_THAT(this->ingress_->looked_at().stuck, ::testing::IsEmpty());
}

TYPED_TEST_P(IngressContract, FindsWhatCameBeforeIt) {
  this->start();
  this->site_->offer(1);
  this->start();
  this->site_->offer(2);
  EXPECT_EQ(this->take_in().deposited, 2U);
}

TYPED_TEST_P(IngressContract, AQueueThatFailsIsAnErrorAndLosesNothing) {
  this->start();
  for (int i = 1; i <= 2; ++i) this->site_->offer(i);
  this->queue().fail_with({Recovery::retry, "database is locked", ""});
  bool failed = false;
  for (int i = 0; i < 3; ++i) {
    failed = !this->ingress_->poll({}) || failed;
    this->around_.steady.advance(this->site_->settle);
  }
  EXPECT_TRUE(failed);
  this->queue().go_on();
  this->take_in();
  EXPECT_EQ(this->payloads(), this->requests(1, 2));
}

TYPED_TEST_P(IngressContract, AnotherProcessGoesOnWhereAQueueFailed) {
  this->start();
  for (int i = 1; i <= 2; ++i) this->site_->offer(i);
  this->queue().fail_with({Recovery::retry, "database is locked", ""});
  for (int i = 0; i < 3; ++i) {
    (void)this->ingress_->poll({});
    this->around_.steady.advance(this->site_->settle);
  }
  this->queue().go_on();
  this->start();
  this->take_in();
  EXPECT_EQ(this->payloads(), this->requests(1, 2));
}

TYPED_TEST_P(IngressContract, NonsenseIsListedAndStopsNothing) {
  this->start();
  this->site_->offer(1);
  this->site_->offer_nonsense();
  this->site_->offer(2);
  EXPECT_GE(this->take_in().quarantined, 1U);
  EXPECT_EQ(this->payloads(), this->requests(1, 2));
  EXPECT_GE(this->queue().counts()->held, 1U);
  const auto held = this->queue().counts()->held;
  EXPECT_EQ(this->take_in().quarantined, 0U) << "once";
  EXPECT_EQ(this->queue().counts()->held, held);
}

TYPED_TEST_P(IngressContract, AStopIsHeededAndTheRestIsTakenLater) {
  this->start();
  this->site_->offer(1);
  std::stop_source stop;
  stop.request_stop();
  for (int i = 0; i < 3; ++i) {
    this->look(stop.get_token());
    this->around_.steady.advance(this->site_->settle);
  }
  EXPECT_EQ(this->queue().counts()->waiting, 0U);
  this->take_in();
  EXPECT_EQ(this->queue().counts()->waiting, 1U);
}

TYPED_TEST_P(IngressContract, WaitEndsAtItsTimeAndWhenItIsToStop) {
  this->start();
  this->take_in();
  const auto waits = [&](Duration time, const std::stop_token& stop) {
    const auto begin = std::chrono::steady_clock::now();
    this->ingress_->wait(time, stop);
    return std::chrono::steady_clock::now() - begin;
  };
  constexpr auto kLong = std::chrono::seconds(30), kSoon = std::chrono::seconds(15);
  EXPECT_LT(waits(Duration::zero(), {}), kSoon);
  std::stop_source stop;
  {
    const std::jthread later([&] { stop.request_stop(); });
    EXPECT_LT(waits(kLong, stop.get_token()), kSoon);
  }
  EXPECT_LT(waits(kLong, stop.get_token()), kSoon) << "stopped before";
}

TYPED_TEST_P(IngressContract, SeveralMayLookAtOneSource) {
  this->start();
  const auto other = this->site_->make();
  for (int i = 1; i <= 4; ++i) {
    this->site_->offer(i);
    this->look(*other);
    this->look();
    this->around_.steady.advance(this->site_->settle);
    this->look();
    this->look(*other);
  }
  this->take_in();
  EXPECT_EQ(this->payloads(), this->requests(1, 4));
}

TYPED_TEST_P(IngressContract, WhatTheLimitsLeaveIsTakenWhenThereIsRoom) {
  this->around_.settings.limits.max_pending = 1;
  this->start();
  this->site_->offer(1);
  this->take_in();
  this->site_->offer(2);
  EXPECT_EQ(this->take_in().deposited, 0U);
  EXPECT_TRUE(this->look().paused);
  const auto lease = this->queue().take(1).value().at(0);
  ASSERT_THAT(this->queue().finish({&lease.job.id, 1}, "answered"), IsOk());
  this->around_.steady.advance(std::chrono::hours(1));
  this->take_in();
  EXPECT_EQ(this->payloads(), this->requests(1, 2));
}

REGISTER_TYPED_TEST_SUITE_P(IngressContract, TakesAllThatIsReadyOnce, FindsWhatCameBeforeIt,
                            AQueueThatFailsIsAnErrorAndLosesNothing,
                            AnotherProcessGoesOnWhereAQueueFailed, NonsenseIsListedAndStopsNothing,
                            AStopIsHeededAndTheRestIsTakenLater, WaitEndsAtItsTimeAndWhenItIsToStop,
                            SeveralMayLookAtOneSource, WhatTheLimitsLeaveIsTakenWhenThereIsRoom);

}  // namespace cmpost
