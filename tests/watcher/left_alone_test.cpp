#include "watcher/left_alone.h"

#include "tests/watcher/watched_input.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct LeftAloneTest : ::testing::Test {
  ChannelSettings channel() const {
    ChannelSettings drop;
    drop.name = "drop";
    drop.state = directory.path();
    return drop;
  }
  std::string told() {
    ::testing::internal::CaptureStderr();
    log::configure({});
    left_alone.tell("/in");
    log::configure({.level = log::Level::error});
    return ::testing::internal::GetCapturedStderr();
  }
  std::string note() {
    const auto notes = read_notes(directory.path()).value();
    for (const auto& note : notes) {
      if (note.subject == "more") return note.text;
    }
    return {};
  }

  TemporaryDirectory directory;
  LeftAlone left_alone{channel()};
};

TEST_F(LeftAloneTest, EveryKindOfMoreIsToldOnceAndAsAWarning) {
  for (int looks = 0; looks < 2; ++looks) {
    left_alone.begin();
    for (const auto* more :
         {"more than 2 lists lie", "more than 9 files wait", "more than 2 lists lie"}) {
      left_alone.more(more);
    }
    EXPECT_THAT(told(), looks == 0 ? HasSubstr("warning input.left_alone")
                                   : ::testing::Matcher<std::string>(Not(HasSubstr("input"))));
    EXPECT_EQ(note(), "more than 2 lists lie; more than 9 files wait in /in");
  }
  left_alone.begin();
  told();
  EXPECT_EQ(note(), "");
}

TEST_F(LeftAloneTest, AFolderIsToBeKnown) {
  left_alone.begin();
  left_alone.folder("archive");
  EXPECT_THAT(told(), HasSubstr("info input.left_alone"));
}

}  // namespace
}  // namespace cmpost
