#include "queue/answer_message_id.h"

#include <gtest/gtest.h>

namespace cmpost {
namespace {

TEST(AnswerMessageId, IsKnownByItsDomainWhateverTheInstance) {
  JobId job;
  job.octets.fill(0xa5);
  const auto id = answer_message_id(job, "grid", "example.com");
  EXPECT_EQ(id, "<a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5.grid@example.com>");
  EXPECT_TRUE(is_answer_message_id(id, "example.com"));
  EXPECT_TRUE(is_answer_message_id(answer_message_id(job, "", "example.com"), "example.com"));
  EXPECT_FALSE(is_answer_message_id(id, "ample.com"));
  EXPECT_FALSE(is_answer_message_id(id, "example.org"));
}

TEST(AnswerMessageId, OtherIdsAreNone) {
  for (const auto* id :
       {"", "<", "<x@example.com>", "<a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5@example.com>",
        "<a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5ax.grid@example.com>",
        " a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5.grid@example.com>",
        "<a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5.grid@example.com> "}) {
    EXPECT_FALSE(is_answer_message_id(id, "example.com")) << id;
  }
}

}  // namespace
}  // namespace cmpost
