#include "outbox/unanswered.h"

#include "queue/job.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/unreadable.h"

namespace cmpost {
namespace {

class UnansweredTest : public ::testing::Test {
 protected:
  Result<std::vector<JobId>> tidied() {
    std::vector<JobId> asked;
    const auto done = signs_.tidy([&](const JobId& id) -> Result<bool> {
      asked.push_back(id);
      return true;
    });
    if (!done) return failure(done.error());
    return asked;
  }

  using Sign = Unanswered::Sign;

  const JobId id_ = make_job_id({view_of("ir1")});
  TemporaryDirectory directory_;
  Unanswered signs_{directory_ / "unanswered"};
};

TEST_F(UnansweredTest, ASignIsThereUntilItIsTakenAway) {
  EXPECT_EQ(signs_.find(id_).value(), Sign::none);
  EXPECT_TRUE(tidied().value().empty()) << "no message has made the directory yet";
  ASSERT_THAT(signs_.add(id_), IsOk());
  EXPECT_EQ(signs_.find(id_).value(), Sign::perhaps_sent);
  EXPECT_EQ(tidied().value(), std::vector{id_});
  EXPECT_EQ(signs_.find(id_).value(), Sign::none);
}

TEST_F(UnansweredTest, ThatAPersonWasAskedIsKnownUntilItLeavesAgain) {
  ASSERT_THAT(signs_.add(id_), IsOk());
  ASSERT_THAT(signs_.ask(id_), IsOk());
  EXPECT_EQ(signs_.find(id_).value(), Sign::asked);
  ASSERT_THAT(signs_.add(id_), IsOk());
  EXPECT_EQ(signs_.find(id_).value(), Sign::perhaps_sent);
}

TEST_F(UnansweredTest, ADirectoryThatSomebodyHasRemovedIsMadeAgain) {
  ASSERT_THAT(signs_.add(id_), IsOk());
  std::filesystem::remove_all(directory_ / "unanswered");
  EXPECT_FALSE(signs_.add(id_));
  EXPECT_THAT(signs_.add(id_), IsOk());
}

TEST_F(UnansweredTest, WhatCannotBeFoundOutIsNotTakenForNotSent) {
  ASSERT_THAT(signs_.add(id_), IsOk());
  {
    const Unreadable away(directory_ / "unanswered");
    EXPECT_FALSE(signs_.find(id_));
    EXPECT_FALSE(tidied());
  }
  EXPECT_EQ(signs_.find(id_).value(), Sign::perhaps_sent);
}

}  // namespace
}  // namespace cmpost
