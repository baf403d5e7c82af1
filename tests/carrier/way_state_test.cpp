#include "carrier/way_state.h"

#include <fstream>

#include "base/files.h"
#include "tests/support/directory_tools.h"
#include "tests/support/fake_clock.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/unreadable.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class WayStateTest : public ::testing::Test {
 protected:
  WayState state(Way way = Way::in) { return read_way(record_of(place_, way)).value().value(); }

  TemporaryDirectory directory_;
  const std::string place_ = directory_ / "state/drop";
  FakeClock wall_{SystemClock().now()};
  const std::string record_ = record_of(place_, Way::in);
  WayRecorder recorder_{record_, wall_};
};

TEST_F(WayStateTest, NobodyHasLookedIsNoState) {
  EXPECT_EQ(read_way(record_).value(), std::nullopt);
  recorder_.works();
  EXPECT_EQ(state().condition, WayCondition::works);
  EXPECT_EQ(read_way(record_of(place_, Way::out)).value(), std::nullopt);
}

TEST_F(WayStateTest, RestSaysSinceWhenWhyUntilAndHowOften) {
  const auto begin = wall_.now();
  const auto trouble = Error{Recovery::retry, "connection refused", "is it up?"};
  recorder_.rests(trouble, 1s);
  wall_.advance(1min);
  recorder_.rests(trouble, 30s);
  EXPECT_EQ(state().condition, WayCondition::rests);
  EXPECT_EQ(state().since, begin);
  EXPECT_EQ(state().last_try, wall_.now());
  EXPECT_EQ(state().until, wall_.now() + 30s);
  EXPECT_EQ(state().tries, 2);
  EXPECT_EQ(state().why, "connection refused");
  EXPECT_EQ(state().hint, "is it up?");
  wall_.advance(1min);
  recorder_.works();
  EXPECT_EQ(state().condition, WayCondition::works);
  EXPECT_EQ(state().since, wall_.now());
  EXPECT_EQ(state().tries, 0);
}

TEST_F(WayStateTest, AnotherProcessGoesOnWithWhatIsOnRecord) {
  const auto begin = wall_.now();
  recorder_.rests(Error{Recovery::retry, "no route", ""}, std::nullopt);
  wall_.advance(24h);
  WayRecorder(record_, wall_).rests(Error{Recovery::retry, "refused", ""}, std::nullopt);
  EXPECT_EQ(state().since, begin);
  EXPECT_EQ(state().why, "refused");
  EXPECT_EQ(state().tries, 2);
  EXPECT_EQ(state().until, std::nullopt);
}

TEST_F(WayStateTest, StuckInputKeepsItsBeginningUntilItsReasonChanges) {
  const auto begin = wall_.now();
  recorder_.works({.stuck = {{"a.pki", "a folder", 0, {}}, {"mail 7", "it breaks", 3, 10min}},
                   .without_request = 2});
  wall_.advance(1h);
  recorder_.works({.stuck = {{"a.pki", "a folder", 0, {}}, {"mail 7", "refused", 4, 20min}},
                   .without_request = 3});
  EXPECT_EQ(state().stuck, 2U);
  ASSERT_THAT(state().inputs, SizeIs(2));
  EXPECT_EQ(state().inputs[0].since, begin);
  EXPECT_EQ(state().inputs[1].since, begin + 1h);
  EXPECT_EQ(state().inputs[1].input.tries, 4);
  EXPECT_EQ(state().inputs[1].again, wall_.now() + 20min);
  EXPECT_EQ(state().without_request, 3U);
  EXPECT_EQ(state().oldest_without_request, begin);
  recorder_.works();
  EXPECT_EQ(state().stuck, 0U);
  EXPECT_EQ(state().oldest_without_request, std::nullopt);
}

TEST_F(WayStateTest, ManyStuckInputsAreCountedAndSomeAreNamed) {
  LookedAt found;
  for (int i = 0; i < 1000; ++i) found.stuck.push_back({std::to_string(i), "x", 0, {}});
  recorder_.works(found);
  EXPECT_EQ(state().stuck, 1000U);
  EXPECT_THAT(state().inputs, SizeIs(20));
}

TEST_F(WayStateTest, LooksThatChangeNothingAreNotedNowAndThen) {
  recorder_.works();
  const auto first = wall_.now();
  wall_.advance(59s);
  recorder_.works();
  EXPECT_EQ(state().last_try, first);
  wall_.advance(1s);
  recorder_.works();
  EXPECT_EQ(state().last_try, wall_.now());
  wall_.advance(-1h);
  recorder_.works();
  EXPECT_EQ(state().last_try, wall_.now()) << "the clock was set back";
}

TEST_F(WayStateTest, WhatCannotBeReadIsNotTakenForWell) {
  recorder_.works();
  std::ofstream(record_) << "{\"condition\": 3}";
  EXPECT_THAT(read_way(record_), Fails(HasSubstr("is not what this program writes")));
}

TEST_F(WayStateTest, AnUnknownConditionIsNotTakenForAKnownOne) {
  recorder_.works();
  auto text = contents_of(record_);
  const auto at = text.find("\"works\"");
  ASSERT_NE(at, std::string::npos);
  write_in_place(record_, text.replace(at, 7, "\"sleeps\""));
  EXPECT_THAT(read_way(record_), Fails(HasSubstr("is not what this program writes")));
  WayRecorder(record_, wall_).works();
  EXPECT_EQ(state().condition, WayCondition::works) << "it is written anew";
}

TEST_F(WayStateTest, ARecordThatCannotBeLookedAtIsNotNoRecord) {
  recorder_.works();
  const Unreadable place(place_);
  EXPECT_THAT(read_way(record_), Fails(HasSubstr("symbolic links")));
}

TEST_F(WayStateTest, PlaceOfARecordMayBeALink) {
  std::filesystem::create_directories(directory_ / "elsewhere");
  std::filesystem::create_directory_symlink(directory_ / "elsewhere", directory_ / "link");
  WayRecorder(directory_ / "link/in.state", wall_).works();
  EXPECT_TRUE(std::filesystem::exists(directory_ / "elsewhere/in.state"));
}

TEST_F(WayStateTest, BookHasOneRecorderForEachWay) {
  WayBook book(directory_ / "state", wall_);
  book.of("drop", Way::out).works();
  EXPECT_EQ(&book.of("drop", Way::out), &book.of("drop", Way::out));
  EXPECT_NE(&book.of("drop", Way::out), &book.of("drop", Way::in));
  EXPECT_EQ(state(Way::out).condition, WayCondition::works);
  book.of(Part::ledger).rests(Error{Recovery::retry, "disk full", ""}, 1s);
  EXPECT_EQ(read_way(record_of(directory_ / "state", Part::ledger)).value()->why, "disk full");
}

}  // namespace
}  // namespace cmpost
