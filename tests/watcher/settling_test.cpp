#include "watcher/settling.h"

#include <gmock/gmock.h>

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Time kStart{1000s};
const Look kLook{.inode = 1, .size = 10, .mtime_nanos = 5, .ctime_nanos = 5'000'000'000};

TEST(Settling, AFileOfWhichNothingIsKnownMustLookTheSameTwice) {
  Settling settling(1s);
  EXPECT_EQ(settling.look_at("a", kLook, kStart, 0), Readiness::unsettled);
  EXPECT_EQ(settling.look_at("a", kLook, kStart + 900ms, 0), Readiness::unsettled);
  EXPECT_EQ(settling.look_at("a", kLook, kStart + 1s, 0), Readiness::settled);
}

TEST(Settling, AChangeStartsTheWaitAgain) {
  Settling settling(1s);
  auto look = kLook;
  settling.look_at("a", look, kStart, 0);
  look.size = 11;
  EXPECT_EQ(settling.look_at("a", look, kStart + 1s, 0), Readiness::unsettled);
  look.ctime_nanos += 1;
  EXPECT_EQ(settling.look_at("a", look, kStart + 2s, 0), Readiness::unsettled);
  EXPECT_EQ(settling.look_at("a", look, kStart + 3s, 0), Readiness::settled);
}

// Seen once, and from then on the file system has an error instead: nothing is due all the time.
TEST(Settling, WhatCannotBeLookedAtAnyMoreIsNotWaitedFor) {
  Settling settling(1s);
  settling.look_at("a", kLook, kStart, 0);
  settling.cannot_look_at("a");
  EXPECT_TRUE(settling.first_report("a", "input/output error"));
  EXPECT_EQ(settling.next_look(), Time::max());
  EXPECT_EQ(settling.stuck(), 1U);
  EXPECT_EQ(settling.look_at("a", kLook, kStart + 5s, 0), Readiness::unsettled) << "anew";
}

TEST(Settling, AnAnnouncedFileIsReadyAtOnce) {
  Settling settling(1s);
  settling.announce("a");
  EXPECT_EQ(settling.look_at("a", kLook, kStart, 0), Readiness::announced);
  EXPECT_EQ(settling.look_at("a", kLook, kStart + 1s, 0), Readiness::settled);
}

TEST(Settling, AFileThatWasOnlyNoticedIsNotReady) {
  Settling settling(1s);
  settling.notice("a");
  EXPECT_EQ(settling.look_at("a", kLook, kStart, 0), Readiness::unsettled);
}

TEST(Settling, AnAgeByTheFileSystemsOwnClockIsEnough) {
  Settling settling(1s);
  EXPECT_EQ(settling.look_at("a", kLook, kStart, kLook.ctime_nanos + 999'999'999),
            Readiness::unsettled);
  EXPECT_EQ(settling.look_at("b", kLook, kStart, kLook.ctime_nanos + 1'000'000'000),
            Readiness::settled);
}

TEST(Settling, FilesAreLookedAtAgainWhenTheirTimeHasCome) {
  Settling settling(1s);
  EXPECT_EQ(settling.next_look(), Time::max());
  settling.look_at("a", kLook, kStart, 0);
  settling.look_at("b", kLook, kStart + 500ms, 0);
  EXPECT_EQ(settling.next_look(), kStart + 1s);
  EXPECT_THAT(settling.worth_a_look(kStart + 999ms), IsEmpty());
  EXPECT_THAT(settling.worth_a_look(kStart + 1s), ElementsAre("a"));
  EXPECT_THAT(settling.worth_a_look(kStart + 2s), ElementsAre("a", "b"));
  settling.announce("c");
  EXPECT_THAT(settling.worth_a_look(kStart), ElementsAre("c"));
  EXPECT_EQ(settling.unsettled(), 3U);
}

TEST(Settling, AFileThatNobodyCouldTakeWaitsForTheNextScan) {
  Settling settling(1s);
  settling.look_at("a", kLook, kStart, 0);
  settling.look_at("a", kLook, kStart + 1s, 0);
  EXPECT_THAT(settling.worth_a_look(kStart + 2s), IsEmpty());
  EXPECT_EQ(settling.next_look(), Time::max());
  EXPECT_EQ(settling.stuck(), 1U);
  EXPECT_TRUE(settling.first_report("a", "a folder"));
  EXPECT_FALSE(settling.first_report("a", "a folder"));
  EXPECT_EQ(settling.stuck_inputs(), (std::vector<StuckInput>{{"a", "a folder", 0, {}}}));
}

TEST(Settling, AFileThatIsCutOffGetsTenTimesAsLong) {
  Settling settling(1s);
  settling.look_at("a", kLook, kStart, 0);
  EXPECT_EQ(settling.look_at("a", kLook, kStart + 1s, 0), Readiness::settled);
  EXPECT_EQ(settling.wait_for_more("a", kLook, kStart + 1s, 0), Readiness::unsettled);
  EXPECT_EQ(settling.unsettled(), 1U);
  EXPECT_EQ(settling.next_look(), kStart + 10s);
  EXPECT_EQ(settling.look_at("a", kLook, kStart + 9s, 0), Readiness::unsettled);
  EXPECT_EQ(settling.look_at("a", kLook, kStart + 10s, 0), Readiness::settled);
  EXPECT_EQ(settling.wait_for_more("a", kLook, kStart + 10s, 0), Readiness::settled);
  EXPECT_EQ(settling.wait_for_more("b", kLook, kStart, kLook.ctime_nanos + 10'000'000'000),
            Readiness::settled)
      << "it lay there before";
}

TEST(Settling, FilesThatAreGoneAreForgotten) {
  Settling settling(1s);
  settling.look_at("a", kLook, kStart, 0);
  settling.look_at("b", kLook, kStart, 0);
  settling.keep_only({"b"});
  EXPECT_FALSE(settling.knows("a"));
  settling.forget("b");
  EXPECT_FALSE(settling.knows("b"));
}

}  // namespace
}  // namespace cmpost
