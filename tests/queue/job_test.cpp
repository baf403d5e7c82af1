#include "queue/job.h"

#include <gmock/gmock.h>

namespace cmpost {
namespace {

TEST(JobId, KnowsWhereOnePartEnds) {
  const auto id = [](std::string_view a, std::string_view b) {
    return make_job_id({view_of(a), view_of(b)});
  };
  EXPECT_EQ(id("ab", "c"), id("ab", "c"));
  EXPECT_NE(id("ab", "c"), id("a", "bc"));
  EXPECT_NE(id("", "abc"), id("abc", ""));
  EXPECT_NE(make_job_id({}), make_job_id({ByteView()}));
}

TEST(JobId, IsReadBackFromItsText) {
  const auto id = make_job_id({view_of("x")});
  EXPECT_EQ(id.text().size(), 32U);
  EXPECT_EQ(JobId::from_text(id.text()), id);
  EXPECT_FALSE(JobId::from_text(""));
  EXPECT_FALSE(JobId::from_text(id.text().substr(2)));
  EXPECT_FALSE(JobId::from_text(id.text() + "00"));
  EXPECT_FALSE(JobId::from_text(std::string(32, 'g')));
}

TEST(JobState, IsSpelledInOneWay) {
  for (const auto* name : {"waiting", "active", "deferred", "held", "done"}) {
    ASSERT_TRUE(job_state(name));
    EXPECT_EQ(to_string(*job_state(name)), name);
  }
  EXPECT_FALSE(job_state("Waiting"));
  EXPECT_FALSE(job_state(""));
}

}  // namespace
}  // namespace cmpost
