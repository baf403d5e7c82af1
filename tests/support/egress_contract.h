// What every Egress promises. A test program runs it on its implementation:
//   INSTANTIATE_TYPED_TEST_SUITE_P(OneWay, EgressContract, OneWaySite);
// The parameter is a site: where answers go, and an Egress that brings them there. It is made from
// EgressSurroundings and has
//   make()           a new Egress, as of a process that was just started
//   address()        Route::address of the answers that go there
//   arrived()        the payloads that a reader finds there; copies that look the same are one
//   go_away()        the whole of it cannot be reached, until
//   come_back()
// and where that can be
//   refuse(lease)    from now on this answer, the second of a group, is refused for good
//   cut()            the connection ends after the next answer has got there and before that is
//                    said, until come_back()
#pragma once

#include <gmock/gmock.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/log.h"
#include "config/channel_settings.h"
#include "outbox/egress.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_job_queue.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {

// DER, so that a reader of mails knows it for a message.
inline std::string contract_answer(int number) {
  return {'\x30', '\x03', '\x02', '\x01', static_cast<char>(number)};
}

struct EgressSurroundings {
  TemporaryDirectory directory;
  FakeClock clock{SystemClock().now()};
  FakeJobQueue queue{clock};
  ChannelSettings settings;
};

template <typename Site>
class EgressContract : public ::testing::Test {
 protected:
  using What = Delivery::What;

  EgressContract() {
    log::configure({.level = log::Level::error});
    around_.settings.name = "way";
    around_.settings.state = around_.directory / "state";
    start();
  }
  // As a process that was just started.
  void start() {
    if (!site_) site_.emplace(around_);
    egress_.reset();
    egress_ = site_->make();
  }
  Lease answer(int number, const std::string& stem) {
    Lease lease;
    lease.job.id = make_job_id({view_of(stem), view_of(contract_answer(number))});
    lease.job.envelope.reply = {"way", site_->address(), stem, "<req@site.test>", ""};
    lease.job.envelope.body = "ip";
    lease.job.envelope.tid = "0102030405060708";
    lease.job.payload = to_bytes(contract_answer(number));
    lease.arrived = around_.clock.now();
    return lease;
  }
  Lease answer(int number) { return answer(number, "dev" + std::to_string(number)); }
  std::vector<Lease> answers(int first, int last) {
    std::vector<Lease> leases;
    for (int i = first; i <= last; ++i) leases.push_back(answer(i));
    return leases;
  }
  // As the queue leases what was leased before.
  static std::vector<Lease> again(std::vector<Lease> leases) {
    for (auto& lease : leases) ++lease.attempts;
    return leases;
  }
  Deliveries send(const std::vector<Lease>& leases, const std::stop_token& stop = {}) {
    auto deliveries = egress_->send(leases, stop);
    EXPECT_THAT(deliveries.each, ::testing::SizeIs(leases.size()));
    deliveries.each.resize(leases.size());
    return deliveries;
  }
  static std::vector<What> what(const Deliveries& deliveries) {
    std::vector<What> all;
    for (const auto& each : deliveries.each) all.push_back(each.what);
    return all;
  }
  void expect_sent(const std::vector<Lease>& leases) {
    const auto deliveries = send(leases);
    EXPECT_FALSE(deliveries.trouble) << deliveries.trouble->what;
    for (const auto& each : deliveries.each) {
      EXPECT_EQ(each.what, What::sent) << each.detail;
      EXPECT_FALSE(each.detail.empty());
    }
  }
  static std::multiset<std::string> payloads(int first, int last) {
    std::multiset<std::string> all;
    for (int i = first; i <= last; ++i) all.insert(contract_answer(i));
    return all;
  }

  EgressSurroundings around_;
  std::optional<Site> site_;
  std::unique_ptr<Egress> egress_;
};

TYPED_TEST_SUITE_P(EgressContract);

TYPED_TEST_P(EgressContract, WhatItSaysIsSentIsThere) {
  EXPECT_EQ(this->egress_->channel(), this->around_.settings.name);
  EXPECT_FALSE(this->egress_->verb().empty());
  EXPECT_GE(this->egress_->group(), 1U);
  this->expect_sent(this->answers(1, 3));
  EXPECT_EQ(this->site_->arrived(), this->payloads(1, 3));
  this->expect_sent(this->answers(4, 4));
  EXPECT_EQ(this->site_->arrived(), this->payloads(1, 4));
}

TYPED_TEST_P(EgressContract, NothingToSendIsFine) {
  EXPECT_FALSE(this->send({}).trouble);
  EXPECT_THAT(this->site_->arrived(), ::testing::IsEmpty());
}

TYPED_TEST_P(EgressContract, TheSameAnswerAgainIsOne) {
  const auto leases = this->answers(1, 2);
  this->expect_sent(leases);
  this->expect_sent(this->again(leases));
  this->start();
  this->expect_sent(this->again(this->again(leases)));
  EXPECT_EQ(this->site_->arrived(), this->payloads(1, 2));
}

TYPED_TEST_P(EgressContract, WhatWasSentBeforeACrashStopsNothingBesideIt) {
  this->expect_sent(this->answers(1, 1));
  this->start();
  auto leases = this->again(this->answers(1, 1));
  leases.push_back(this->answer(2));
  this->expect_sent(leases);
  EXPECT_EQ(this->site_->arrived(), this->payloads(1, 2));
}

TYPED_TEST_P(EgressContract, TwoAnswersForOneNameAreTwo) {
  this->expect_sent({this->answer(1, "dev"), this->answer(2, "dev")});
  this->expect_sent({this->answer(3, "dev")});
  EXPECT_EQ(this->site_->arrived(), this->payloads(1, 3));
}

TYPED_TEST_P(EgressContract, WhatIsAwayGetsItsAnswersWhenItIsBack) {
  this->site_->go_away();
  auto leases = this->answers(1, 2);
  for (int i = 0; i < 3; ++i) {
    const auto deliveries = this->send(leases);
    EXPECT_THAT(this->what(deliveries), ::testing::Each(Delivery::What::deferred));
    for (const auto& each : deliveries.each) {
      EXPECT_FALSE(each.detail.empty());
      EXPECT_TRUE(deliveries.trouble || each.after) << "it would use up its attempts";
    }
    leases = this->again(leases);
  }
  this->site_->come_back();
  (void)this->egress_->tend();
  this->expect_sent(leases);
  EXPECT_EQ(this->site_->arrived(), this->payloads(1, 2));
}

TYPED_TEST_P(EgressContract, AnotherProcessSendsWhatOneCouldNot) {
  this->site_->go_away();
  const auto leases = this->answers(1, 2);
  this->send(leases);
  this->site_->come_back();
  this->start();
  this->expect_sent(this->again(leases));
  EXPECT_EQ(this->site_->arrived(), this->payloads(1, 2));
}

TYPED_TEST_P(EgressContract, AStopIsHeededAndNoTrouble) {
  std::stop_source stop;
  stop.request_stop();
  const auto leases = this->answers(1, 3);
  const auto begin = std::chrono::steady_clock::now();
  const auto deliveries = this->send(leases, stop.get_token());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  EXPECT_FALSE(deliveries.trouble) << deliveries.trouble->what;
  const auto arrived = this->site_->arrived();
  for (std::size_t i = 0; i < leases.size(); ++i) {
    const auto& each = deliveries.each[i];
    EXPECT_NE(each.what, Delivery::What::held) << each.detail;
    if (each.what != Delivery::What::sent) continue;
    EXPECT_TRUE(arrived.contains(contract_answer(static_cast<int>(i) + 1)));
  }
  this->expect_sent(this->again(leases));
  EXPECT_EQ(this->site_->arrived(), this->payloads(1, 3));
}

TYPED_TEST_P(EgressContract, TendingChangesNothingOfWhatHasLeft) {
  EXPECT_THAT(this->egress_->tend(), IsOk());
  this->expect_sent(this->answers(1, 2));
  EXPECT_THAT(this->egress_->tend(), IsOk());
  EXPECT_THAT(this->egress_->tend(), IsOk());
  EXPECT_EQ(this->site_->arrived(), this->payloads(1, 2));
}

TYPED_TEST_P(EgressContract, SeveralProcessesMaySendByOneChannel) {
  const auto other = this->site_->make();
  this->expect_sent(this->answers(1, 1));
  const auto second = this->answers(2, 2);
  EXPECT_EQ(other->send(second, {}).each.at(0).what, Delivery::What::sent);
  this->expect_sent(this->answers(3, 3));
  // What one has sent and not told the queue, the other one leases.
  EXPECT_EQ(other->send(this->again(this->answers(1, 1)), {}).each.at(0).what,
            Delivery::What::sent);
  EXPECT_EQ(this->site_->arrived(), this->payloads(1, 3));
}

TYPED_TEST_P(EgressContract, ARefusalIsFinalAndStopsNothingBesideIt) {
  if constexpr (requires(TypeParam & site, const Lease& lease) { site.refuse(lease); }) {
    const auto leases = this->answers(1, 3);
    this->site_->refuse(leases[1]);
    const auto before = this->site_->arrived();
    const auto deliveries = this->send(leases);
    EXPECT_FALSE(deliveries.trouble) << deliveries.trouble->what;
    EXPECT_THAT(
        this->what(deliveries),
        ::testing::ElementsAre(Delivery::What::sent, Delivery::What::held, Delivery::What::sent));
    EXPECT_FALSE(deliveries.each[1].detail.empty());
    auto expected = before;
    expected.insert(contract_answer(1));
    expected.insert(contract_answer(3));
    EXPECT_EQ(this->site_->arrived(), expected);
  } else {
    GTEST_SKIP() << "nothing refuses a single answer here";
  }
}

TYPED_TEST_P(EgressContract, ACutIsTriedAgainAndIsOneAnswer) {
  if constexpr (requires(TypeParam & site) { site.cut(); }) {
    const auto leases = this->answers(1, 1);
    this->site_->cut();
    EXPECT_THAT(this->what(this->send(leases)), ::testing::ElementsAre(Delivery::What::deferred));
    this->site_->come_back();
    this->around_.clock.advance(std::chrono::minutes(5));
    this->expect_sent(this->again(leases));
    EXPECT_EQ(this->site_->arrived(), this->payloads(1, 1));
  } else {
    GTEST_SKIP() << "nothing is cut in the middle here";
  }
}

REGISTER_TYPED_TEST_SUITE_P(EgressContract, WhatItSaysIsSentIsThere, NothingToSendIsFine,
                            TheSameAnswerAgainIsOne, WhatWasSentBeforeACrashStopsNothingBesideIt,
                            TwoAnswersForOneNameAreTwo, WhatIsAwayGetsItsAnswersWhenItIsBack,
                            AnotherProcessSendsWhatOneCouldNot, AStopIsHeededAndNoTrouble,
                            TendingChangesNothingOfWhatHasLeft, SeveralProcessesMaySendByOneChannel,
                            ARefusalIsFinalAndStopsNothingBesideIt, ACutIsTriedAgainAndIsOneAnswer);

}  // namespace cmpost
