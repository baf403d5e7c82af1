#include "processor/handover.h"

#include <gtest/gtest.h>

#include "store/connection.h"
#include "tests/support/fake_clock.h"
#include "tests/support/matchers.h"
#include "tests/support/numbered_jobs.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {
namespace {

class HandoverTest : public ::testing::Test {
 protected:
  HandoverTest() {
    EXPECT_THAT(spool_->requests().put({&request_, 1}), IsOk());
    EXPECT_THAT(spool_->requests().take(1), IsOk());
  }
  Spool::Exchange both() const { return {{request_.id}, {&reply_}}; }
  bool has_reply() { return spool_->replies().find(reply_.id).value().has_value(); }

  FakeClock clock_;
  TemporaryDirectory directory_;
  std::unique_ptr<Spool> spool_ =
      open_spool({"sqlite:spool.db", directory_.path()}, clock_).value();
  const Job request_ = numbered_job(1);
  const Job reply_ = numbered_job(2);
};

TEST_F(HandoverTest, IsDurableWhenItIsFinished) {
  Handover handover(*spool_);
  handover.begin(both());
  EXPECT_TRUE(handover.has_begun());
  EXPECT_FALSE(has_reply()) << "the ledger comes first";
  handover.commit();
  EXPECT_THAT(handover.finish(), IsOk());
  EXPECT_TRUE(has_reply());
}

TEST_F(HandoverTest, IsGivenUpWhenTheLedgerHasFailed) {
  {
    Handover handover(*spool_);
    handover.begin(both());
  }
  EXPECT_FALSE(has_reply());
  EXPECT_EQ(spool_->requests().find(request_.id).value()->state, JobState::active);
  const auto other = numbered_job(3);
  EXPECT_THAT(spool_->requests().put({&other, 1}), IsOk()) << "others may write again";
}

TEST_F(HandoverTest, HasNothingToDoWhereNothingIsAnswered) {
  Handover handover(*spool_);
  handover.begin({});
  EXPECT_FALSE(handover.has_begun());
  handover.commit();
  EXPECT_THAT(handover.finish(), IsOk());
}

TEST_F(HandoverTest, SaysWhenTheSpoolFails) {
  const auto other = open_database("sqlite:spool.db", directory_.path(), OpenMode::read_write);
  ASSERT_THAT(other, IsOk());
  ASSERT_THAT((*other)->execute("DROP TABLE reply_payload"), IsOk());
  Handover handover(*spool_);
  handover.begin(both());
  handover.commit();
  EXPECT_FALSE(handover.finish().has_value());
  EXPECT_EQ(spool_->requests().find(request_.id).value()->state, JobState::active);
}

}  // namespace
}  // namespace cmpost
