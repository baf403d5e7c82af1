#include "carrier/channel_notes.h"

#include "tests/support/directory_tools.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/unreadable.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ChannelNotes : public ::testing::Test {
 protected:
  std::vector<ReadNote> notes() { return read_notes(state_).value(); }

  const TemporaryDirectory directory_;
  const std::string state_ = directory_ / "state";
};

TEST_F(ChannelNotes, KeepTheirSentenceAndTheirKind) {
  EXPECT_THAT(notes(), IsEmpty());
  ChannelNote remark(state_, "medium");
  ChannelNote warning(state_, "unlisted", NoteKind::warning);
  EXPECT_TRUE(remark.set("medium 1 is there"));
  EXPECT_FALSE(remark.set("medium 1 is there"));
  EXPECT_TRUE(warning.set("2 files"));
  ASSERT_THAT(notes(), SizeIs(2));
  EXPECT_EQ(notes()[0].kind, NoteKind::remark);
  EXPECT_EQ(notes()[0].text, "medium 1 is there");
  EXPECT_EQ(notes()[1].kind, NoteKind::warning);
  EXPECT_TRUE(remark.clear());
  EXPECT_THAT(notes(), SizeIs(1));
}

TEST_F(ChannelNotes, ThatCannotBeReadAreWarnings) {
  std::filesystem::create_directory(state_);
  std::filesystem::create_directory(state_ + "/folders.note");
  write_in_place(state_ + "/medium.note", "medium 1 is there\n");
  ASSERT_THAT(notes(), SizeIs(2));
  for (const auto& note : notes()) {
    EXPECT_EQ(note.kind, NoteKind::warning);
    EXPECT_THAT(note.text, HasSubstr("cannot be read"));
  }
}

TEST_F(ChannelNotes, InADirectoryThatCannotBeListedAreNotNone) {
  std::filesystem::create_directory(state_);
  const Unreadable gone(state_);
  EXPECT_THAT(read_notes(state_), Fails(HasSubstr("listing")));
}

TEST_F(ChannelNotes, ThatCouldNotBeWrittenOrRemovedAreTriedAgain) {
  ChannelNote note(state_, "medium");
  EXPECT_TRUE(note.set("one"));
  {
    const Unreadable gone(state_);
    EXPECT_TRUE(note.set("two"));
  }
  EXPECT_FALSE(note.set("two"));
  EXPECT_EQ(notes().at(0).text, "two");
  {
    const Unreadable gone(state_);
    EXPECT_TRUE(note.clear());
  }
  EXPECT_FALSE(note.clear());
  EXPECT_THAT(notes(), IsEmpty());
}

}  // namespace
}  // namespace cmpost
