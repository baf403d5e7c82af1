#include "app/service/progress.h"

#include <gmock/gmock.h>

#include "tests/support/fake_clock.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

class ProgressTest : public ::testing::Test {
 protected:
  // Local time is what the machine has: in tests UTC.
  ProgressTest() {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
  }
  void tell_each_second(int seconds, std::size_t a_second) {
    for (int i = 0; i < seconds; ++i) {
      clock_.advance(1s);
      facts_.done += a_second;
      facts_.left -= a_second;
      progress_.tell(facts_);
    }
  }
  std::string line() const { return progress_.line(facts_, now_); }

  const Time now_ = *from_iso8601("2026-11-21T08:00:00Z");
  FakeClock clock_;
  Progress progress_{clock_};
  ProgressFacts facts_{.left = 12'000, .all_taken_in = true};
};

TEST_F(ProgressTest, NothingIsKnownOfTheRateAtFirst) {
  progress_.tell(facts_);
  EXPECT_EQ(line(), "0 of 12 000");
}

TEST_F(ProgressTest, SaysHowManyHowFastAndWhenItIsReady) {
  progress_.tell(facts_);
  tell_each_second(5, 1'000);
  facts_.refused = 3;
  EXPECT_EQ(line(), "5 000 of 12 000 · 1 000/s · 3 refused · ready 08:00");
}

TEST_F(ProgressTest, ReadyOnAnotherDayHasTheDay) {
  facts_.left = 100'000;
  progress_.tell(facts_);
  tell_each_second(10, 1);
  EXPECT_EQ(line(), "10 of 100 000 · 1.0/s · ready 2026-11-22 11:46");
}

TEST_F(ProgressTest, TheRateIsThatOfTheLastSeconds) {
  progress_.tell(facts_);
  tell_each_second(5, 1'000);
  tell_each_second(60, 10);
  EXPECT_THAT(line(), HasSubstr(" · 10/s"));
}

TEST_F(ProgressTest, AStandstillHasNoEnd) {
  progress_.tell(facts_);
  tell_each_second(5, 10);
  tell_each_second(60, 0);
  EXPECT_EQ(line(), "50 of 12 000");
}

TEST_F(ProgressTest, WhileMoreComesInTheWholeIsNotKnown) {
  facts_.all_taken_in = false;
  progress_.tell(facts_);
  EXPECT_EQ(line(), "0 of 12 000 so far");
}

TEST_F(ProgressTest, AtTheEndAnswersAreStillToLeave) {
  facts_ = {.done = 7, .left = 0, .to_send = 1'234, .all_taken_in = true};
  progress_.tell(facts_);
  EXPECT_EQ(line(), "7 of 7 · 1 234 answers to send");
}

}  // namespace
}  // namespace cmpost
