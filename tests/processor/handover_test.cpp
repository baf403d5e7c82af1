#include "processor/handover.h"

#include <gtest/gtest.h>

#include "store/connection.h"
#include "tests/support/spool_with_a_request.h"

namespace cmpost {
namespace {

using HandoverTest = SpoolWithARequest;

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
  EXPECT_EQ(state_of_request(), JobState::active);
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
  EXPECT_EQ(state_of_request(), JobState::active);
}

}  // namespace
}  // namespace cmpost
