#include "queue/job.h"

#include <gmock/gmock.h>

#include "queue/sha256.h"

namespace cmpost {
namespace {

std::string sha256(std::string_view text) {
  Sha256 digest;
  digest.update(view_of(text));
  return to_hex(digest.finish());
}

// FIPS 180-4 example values, and the lengths around a block's end.
TEST(Sha256, MatchesTheVectorsOfTheStandard) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, DoesNotDependOnHowTheTextIsCut) {
  const std::string text(200, 'x');
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Sha256 digest;
    digest.update(view_of(std::string_view(text).substr(0, cut)));
    digest.update(view_of(std::string_view(text).substr(cut)));
    EXPECT_EQ(to_hex(digest.finish()), sha256(text));
  }
}

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
