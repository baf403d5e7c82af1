#include "orders/orders_by_program.h"

#include "base/log.h"
#include "tests/orders/program.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_job_queue.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class OrdersByProgram : public ::testing::Test {
 protected:
  using What = Delivery::What;

  OrdersByProgram() {
    log::configure({.level = log::Level::error});
    settings_.name = "portal";
    settings_.state = directory_ / "state";
    settings_.direction = Direction::upstream;
    settings_.transport = OrdersSettings{};
    settings_.orders()->command = program_.path();
    start();
  }
  void start() {
    const OrdersByProgramEgress::Queues queues{requests_, replies_,
                                               [this](const Job&) { return standing_; }};
    egress_ = std::make_unique<OrdersByProgramEgress>(settings_, queues, clock_, steady_);
    ingress_ = std::make_unique<OrdersByProgramIngress>(settings_, requests_, clock_, steady_);
  }
  Delivery send(int attempts = 1, int releases = 0) {
    Lease lease;
    lease.job.id = make_job_id({view_of("order")});
    lease.job.envelope.reply.channel = "portal";
    lease.job.envelope.body = "p10cr";
    lease.job.envelope.tid = "0a0b0c0d0e0f0001";
    lease.job.payload = to_bytes("a request");
    lease.attempts = attempts;
    lease.releases = releases;
    EXPECT_THAT(replies_.put(std::vector{lease.job}), IsOk());
    return egress_->send({&lease, 1}, {}).each.at(0);
  }
  // Body and payload of what has come.
  std::vector<std::string> news() {
    std::vector<std::string> all;
    const auto jobs = requests_.list({.state = {}, .channel = {}}).value();
    for (const auto& job : jobs) {
      EXPECT_EQ(job.envelope.tid, "0a0b0c0d0e0f0001");
      all.push_back(job.envelope.body + ":" +
                    std::string(text_of(requests_.payload(job.id).value())));
    }
    return all;
  }

  TemporaryDirectory directory_;
  OrderProgram program_{directory_.path()};
  FakeClock clock_{SystemClock().now()}, steady_;
  FakeJobQueue requests_{clock_}, replies_{clock_};
  Result<OrderStanding> standing_ = OrderStanding::open;
  ChannelSettings settings_;
  std::unique_ptr<OrdersByProgramEgress> egress_;
  std::unique_ptr<OrdersByProgramIngress> ingress_;
};

TEST_F(OrdersByProgram, ARefusalIsNewsOfTheOrder) {
  program_.answer("echo too dear; exit 2");
  EXPECT_EQ(send().what, What::sent);
  EXPECT_THAT(news(), ElementsAre("refused:too dear"));
}

TEST_F(OrdersByProgram, WhatTakesLongerIsAskedAboutWhenItIsDue) {
  program_.answer("echo 90; echo number 7; exit 5");
  EXPECT_EQ(send().what, What::sent);
  ASSERT_THAT(ingress_->poll({}), IsOk());
  EXPECT_EQ(program_.runs(), "SUBMIT \n") << "not yet";
  clock_.advance(91s);
  program_.answer("echo number 8; exit 1");
  ASSERT_THAT(ingress_->poll({}), IsOk());
  clock_.advance(2min);
  start();
  program_.answer("echo sold out; exit 2");
  ASSERT_THAT(ingress_->poll({}), IsOk());
  EXPECT_EQ(program_.runs(), "SUBMIT \nPOLL number 7\nPOLL number 8\n");
  EXPECT_THAT(news(), ElementsAre("refused:sold out"));
  clock_.advance(1h);
  ASSERT_THAT(ingress_->poll({}), IsOk());
  EXPECT_EQ(program_.runs(), "SUBMIT \nPOLL number 7\nPOLL number 8\n") << "it is over";
}

TEST_F(OrdersByProgram, WhatCannotBeReachedIsTriedAgain) {
  program_.answer("echo no route; exit 3");
  const auto delivery = send();
  EXPECT_EQ(delivery.what, What::deferred);
  EXPECT_THAT(delivery.detail, HasSubstr("no route"));
  program_.answer("echo number 7; exit 1");
  EXPECT_EQ(send(2).what, What::sent);
  EXPECT_EQ(program_.runs(), "SUBMIT \nSUBMIT \n");
}

TEST_F(OrdersByProgram, AnOrderOfWhichNobodyKnowsIsNeverPlacedAgainByItself) {
  program_.answer("kill -9 $$");
  EXPECT_EQ(send().what, What::held);
  start();
  const auto delivery = send(2);
  EXPECT_EQ(delivery.what, What::held);
  EXPECT_THAT(delivery.detail, HasSubstr("cmpost order resubmit 0a0b0c0d0e0f"));
  EXPECT_EQ(program_.runs(), "SUBMIT \n");
  program_.answer("echo number 7; exit 1");
  EXPECT_EQ(send(1).what, What::held) << "of a new queue, and released by nobody";
  EXPECT_EQ(send(1, 1).what, What::sent);
  EXPECT_EQ(program_.runs(), "SUBMIT \nSUBMIT \n");
}

TEST_F(OrdersByProgram, AnOrderThatIsOverIsNotPlaced) {
  program_.answer("echo number 7; exit 1");
  standing_ = OrderStanding::over;
  EXPECT_EQ(send().what, What::deferred);
  standing_ = OrderStanding::unknown;
  const auto delivery = send(2);
  EXPECT_EQ(delivery.what, What::held);
  EXPECT_THAT(delivery.detail, HasSubstr("the ledger knows no order 0a0b0c0d0e0f"));
  standing_ = failure(Error{Recovery::retry, "the ledger is locked", ""});
  EXPECT_EQ(send(3).what, What::deferred) << "not known is not open";
  EXPECT_EQ(program_.runs(), "");
  standing_ = OrderStanding::open;
  EXPECT_EQ(send(4).what, What::sent);
}

TEST_F(OrdersByProgram, AnOrderThatTheProcessDiedOverIsHeld) {
  ASSERT_THAT(Unanswered(settings_.state + "/unanswered").add(make_job_id({view_of("order")})),
              IsOk());
  program_.answer("echo number 7; exit 1");
  start();
  EXPECT_EQ(send(2).what, What::held);
  EXPECT_EQ(program_.runs(), "");
}

TEST_F(OrdersByProgram, AnAnswerThatFindsNoRoomIsKept) {
  program_.answer("echo too dear; exit 2");
  requests_.fail_with({Recovery::retry, "database is locked", ""});
  EXPECT_EQ(send().what, What::deferred);
  requests_.go_on();
  EXPECT_EQ(send(2).what, What::sent);
  EXPECT_EQ(program_.runs(), "SUBMIT \n");
  EXPECT_THAT(news(), ElementsAre("refused:too dear"));
}

TEST_F(OrdersByProgram, WhatIsToBeRevokedIsForAPerson) {
  Lease lease;
  lease.job.envelope.body = "rr";
  EXPECT_EQ(egress_->send({&lease, 1}, {}).each.at(0).what, What::sent);
  EXPECT_EQ(program_.runs(), "");
}

TEST_F(OrdersByProgram, AProgramThatFailsOverAQuestionIsAskedAgain) {
  program_.answer("echo number 7; exit 1");
  EXPECT_EQ(send().what, What::sent);
  clock_.advance(2min);
  program_.answer("kill -9 $$");
  EXPECT_FALSE(ingress_->poll({}));
  clock_.advance(2min);
  program_.answer("echo no; exit 2");
  ASSERT_THAT(ingress_->poll({}), IsOk());
  EXPECT_THAT(news(), ElementsAre("refused:no"));
}

}  // namespace
}  // namespace cmpost
