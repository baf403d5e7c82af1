#include "base/watched_clock.h"

#include <gmock/gmock.h>

#include "tests/support/fake_clock.h"

namespace cmpost {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr auto kDay = hours(24);

class ClockUnderWatch : public ::testing::Test {
 protected:
  void pass(Duration time) {
    wall_.advance(time);
    since_boot_.advance(time);
  }
  // As the maintenance of a service does.
  ClockDoubt look() {
    state_ = judge(state_, read(), rules_);
    return state_.doubt;
  }
  ClockDoubt look_after(Duration time) {
    pass(time);
    return look();
  }
  void restart_machine(Duration off) {
    boot_ += "'";
    wall_.advance(off);
    since_boot_.set(Time(seconds(20)));
  }
  ClockReading read() const { return {wall_.now(), since_boot_.now(), boot_, synchronized_}; }
  // By how much these are behind the wall clock.
  Duration sure() const { return wall_.now() - sure_time(state_, read(), rules_); }
  Duration likely() const { return wall_.now() - likely_time(state_, read(), rules_); }

  FakeClock wall_, since_boot_{Time(hours(5))};
  std::string boot_ = "1";
  bool synchronized_ = false;
  ClockRules rules_;
  ClockState state_{read(), ClockDoubt::none, {}};
};

TEST_F(ClockUnderWatch, IsBelievedWhileItGoesAsTheOtherOne) {
  EXPECT_EQ(look_after(400 * kDay), ClockDoubt::none);
  wall_.advance(minutes(4));
  EXPECT_EQ(look(), ClockDoubt::none);
  wall_.advance(-minutes(4));
  EXPECT_EQ(look_after(seconds(30)), ClockDoubt::none);
  EXPECT_EQ(sure(), Duration::zero());
  EXPECT_EQ(likely(), Duration::zero());
}

TEST_F(ClockUnderWatch, SetAheadForAMomentLeavesNoTrace) {
  wall_.advance(400 * kDay);
  EXPECT_EQ(sure(), 400 * kDay) << "also before anybody has looked";
  EXPECT_EQ(look_after(seconds(30)), ClockDoubt::ahead);
  EXPECT_EQ(sure(), 400 * kDay);
  EXPECT_EQ(likely(), 400 * kDay);
  wall_.advance(-400 * kDay);
  EXPECT_EQ(sure(), Duration::zero());
  EXPECT_EQ(look_after(seconds(30)), ClockDoubt::none);
}

// Whatever waits for a date would be done for ever.
TEST_F(ClockUnderWatch, AheadByMuchIsNeverBelievedByItself) {
  wall_.advance(31 * kDay);
  EXPECT_EQ(look(), ClockDoubt::ahead);
  for (const Duration time : {Duration(minutes(62)), Duration(30 * kDay)}) {
    EXPECT_EQ(look_after(time), ClockDoubt::ahead);
    EXPECT_EQ(sure(), 31 * kDay) << "time goes on from what was believed last";
    EXPECT_FALSE(is_small_step(state_.accepted, read(), rules_));
  }
  wall_.advance(-31 * kDay);
  EXPECT_EQ(look(), ClockDoubt::none);
}

TEST_F(ClockUnderWatch, ASmallStepIsBelievedWhenItHasGoneOnForAnHour) {
  wall_.advance(hours(1));
  EXPECT_EQ(look(), ClockDoubt::ahead);
  EXPECT_TRUE(is_small_step(state_.accepted, read(), rules_));
  EXPECT_EQ(look_after(minutes(59)), ClockDoubt::ahead);
  EXPECT_EQ(sure(), hours(1));
  EXPECT_EQ(look_after(minutes(1)), ClockDoubt::none);
  EXPECT_EQ(sure(), Duration::zero());
}

TEST_F(ClockUnderWatch, SmallStepsDoNotAddUpBeforeTheyAreBelieved) {
  wall_.advance(minutes(40));
  look();
  pass(minutes(50));
  wall_.advance(minutes(20));
  EXPECT_EQ(look(), ClockDoubt::ahead);
  EXPECT_EQ(look_after(minutes(50)), ClockDoubt::ahead) << "its hour has begun anew";
  wall_.advance(minutes(40));
  EXPECT_EQ(look(), ClockDoubt::ahead);
  EXPECT_EQ(look_after(hours(2)), ClockDoubt::ahead);
}

TEST_F(ClockUnderWatch, SetBackIsNeverBelievedByItselfAndTimeGoesOn) {
  wall_.advance(-hours(1));
  EXPECT_EQ(look(), ClockDoubt::behind);
  EXPECT_EQ(look_after(30 * kDay), ClockDoubt::behind);
  EXPECT_EQ(sure(), -hours(1)) << "an hour later than the clock";
  EXPECT_EQ(likely(), -hours(1));
  wall_.advance(hours(1));
  EXPECT_EQ(look(), ClockDoubt::none);
}

TEST_F(ClockUnderWatch, AMachineMayBeOffForADay) {
  restart_machine(hours(23));
  EXPECT_EQ(look(), ClockDoubt::none);
}

// Its clock may as well have been set meanwhile.
TEST_F(ClockUnderWatch, AMachineThatWasOffForAMonthIsAskedAbout) {
  restart_machine(30 * kDay);
  EXPECT_EQ(look(), ClockDoubt::long_off);
  EXPECT_EQ(sure(), 30 * kDay);
  EXPECT_EQ(likely(), Duration::zero());
  EXPECT_EQ(look_after(30 * kDay), ClockDoubt::long_off);
  EXPECT_EQ(sure(), 30 * kDay) << "what has passed since the start is known";
  EXPECT_EQ(likely(), Duration::zero());
}

TEST_F(ClockUnderWatch, AfterTheNextStartItIsStillAskedAboutAndTimeGoesOn) {
  restart_machine(30 * kDay);
  EXPECT_EQ(look(), ClockDoubt::long_off);
  restart_machine(30 * kDay);
  EXPECT_EQ(look(), ClockDoubt::long_off);
  EXPECT_EQ(look_after(kDay), ClockDoubt::long_off);
  EXPECT_EQ(sure(), 60 * kDay);
}

TEST_F(ClockUnderWatch, WhatIsUsualCanBeSaid) {
  rules_.usual_off = 40 * kDay;
  restart_machine(30 * kDay);
  EXPECT_EQ(look(), ClockDoubt::none);
}

TEST_F(ClockUnderWatch, AnEmptyBatteryIsNoticed) {
  restart_machine(-2000 * kDay);
  EXPECT_EQ(look(), ClockDoubt::behind);
  EXPECT_EQ(look_after(10 * kDay), ClockDoubt::behind);
  EXPECT_EQ(sure(), -2000 * kDay) << "time goes on from what was believed last";
}

// What counts since the start of one machine says nothing about another one.
TEST_F(ClockUnderWatch, AnInstanceMayMoveToAMachineThatIsOnForLong) {
  restart_machine(hours(1));
  since_boot_.set(Time(1000 * kDay));
  EXPECT_EQ(look(), ClockDoubt::none);
}

TEST_F(ClockUnderWatch, WithoutANameOfTheStartOneStartIsNotTakenForAnother) {
  boot_.clear();
  state_ = {read(), ClockDoubt::none, {}};
  wall_.advance(2 * kDay);
  EXPECT_EQ(look(), ClockDoubt::long_off);
}

TEST_F(ClockUnderWatch, ATimeServiceIsBelievedAtOnceWhereItIsTrusted) {
  synchronized_ = true;
  for (const Duration by : {Duration(400 * kDay), Duration(-800 * kDay)}) {
    wall_.advance(by);
    EXPECT_EQ(sure(), Duration::zero());
    EXPECT_EQ(look(), ClockDoubt::none);
  }
}

TEST(WatchedClock, GivesBothTimesAndRemembers) {
  FakeClock wall, since_boot{Time{}};
  WatchedClock clock(wall, since_boot, "1");
  wall.advance(kDay);
  EXPECT_EQ(clock.sure().now(), wall.now() - kDay);
  EXPECT_EQ(clock.likely().now(), wall.now() - kDay);
  clock.remember({clock.read(), ClockDoubt::none, {}});
  EXPECT_EQ(clock.sure().now(), wall.now());
}

TEST(WatchedClock, AsksTheKernelAboutTimeServicesOnlyWhereThatDecides) {
  FakeClock wall, since_boot{Time{}};
  int asked = 0;
  const WatchedClock clock(wall, since_boot, "1", [&] { return ++asked > 0; });
  asked = 0;
  EXPECT_EQ(clock.sure().now(), wall.now());
  EXPECT_EQ(clock.likely().now(), wall.now());
  EXPECT_EQ(asked, 0);
  wall.advance(kDay);
  EXPECT_EQ(clock.sure().now(), wall.now()) << "a time service says so";
  EXPECT_EQ(asked, 1);
}

TEST(ClockDoubt, IsSpelledInOneWay) {
  for (const auto doubt :
       {ClockDoubt::none, ClockDoubt::ahead, ClockDoubt::long_off, ClockDoubt::behind}) {
    EXPECT_EQ(clock_doubt(to_string(doubt)), doubt);
  }
  EXPECT_FALSE(clock_doubt("else"));
}

TEST(BootClock, GoesOnAndIsThatOfTheMachine) {
  const BootClock clock;
  const auto before = clock.now();
  EXPECT_GE(clock.now(), before);
  EXPECT_EQ(boot_id(), boot_id());
  EXPECT_FALSE(boot_id().empty());
}

}  // namespace
}  // namespace cmpost
