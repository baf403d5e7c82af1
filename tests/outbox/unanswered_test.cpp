#include "outbox/unanswered.h"

#include "base/files.h"
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

  using What = Unanswered::Sign::What;

  const JobId id_ = make_job_id({view_of("ir1")});
  Lease lease_{Job{id_, {}, {}}, 1, {}, 0};
  TemporaryDirectory directory_;
  Unanswered signs_{directory_ / "unanswered"};
};

TEST_F(UnansweredTest, ASignIsThereUntilItIsTakenAway) {
  EXPECT_EQ(signs_.find(id_).value().what, What::none);
  EXPECT_TRUE(tidied().value().empty()) << "no message has made the directory yet";
  ASSERT_THAT(signs_.add(id_), IsOk());
  EXPECT_EQ(signs_.find(id_).value().what, What::perhaps_sent);
  EXPECT_EQ(tidied().value(), std::vector{id_});
  EXPECT_EQ(signs_.find(id_).value().what, What::none);
}

TEST_F(UnansweredTest, ThatAPersonWasAskedIsKnownUntilItLeavesAgain) {
  ASSERT_THAT(signs_.add(id_), IsOk());
  ASSERT_THAT(signs_.ask(lease_), IsOk());
  EXPECT_EQ(signs_.find(id_).value().what, What::asked);
  ASSERT_THAT(signs_.add(id_), IsOk());
  EXPECT_EQ(signs_.find(id_).value().what, What::perhaps_sent);
}

// A job that was put anew, by the same octets, has the same name and has been released by nobody.
TEST_F(UnansweredTest, OnlyWhatAPersonHasReleasedSinceHeWasAskedIsReleased) {
  EXPECT_FALSE(signs_.find(id_).value().is_released(lease_));
  lease_.releases = 1;
  ASSERT_THAT(signs_.add(id_), IsOk());
  EXPECT_FALSE(signs_.find(id_).value().is_released(lease_)) << "nobody was asked";
  ASSERT_THAT(signs_.ask(lease_), IsOk());
  for (const int releases : {0, 1, 2}) {
    lease_.releases = releases;
    EXPECT_EQ(signs_.find(id_).value().is_released(lease_), releases == 2) << releases;
  }
  ASSERT_THAT(write_file(directory_ / "unanswered/" + id_.text(), view_of("asked\n"), 0640,
                         IfExists::replace),
              IsOk());
  EXPECT_FALSE(signs_.find(id_).value().is_released(lease_)) << "of a former version";
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
  EXPECT_EQ(signs_.find(id_).value().what, What::perhaps_sent);
}

}  // namespace
}  // namespace cmpost
