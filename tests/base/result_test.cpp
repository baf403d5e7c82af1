#include "base/result.h"

#include <cerrno>
#include <memory>

#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;

Result<int> half(int number) {
  if (number % 2 != 0) return hold("odd", "even ones work");
  return number / 2;
}
Result<int> quarter(int number) {
  ASSIGN_OR_RETURN(const int once, half(number));
  ASSIGN_OR_RETURN(const int twice, half(once));
  return twice;
}
Result<void> check(int number) {
  TRY(quarter(number));
  return {};
}
Result<std::unique_ptr<int>> box(int number) {
  ASSIGN_OR_RETURN(auto value, half(number));
  return std::make_unique<int>(value);
}

TEST(Result, ErrorsTravelUp) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_THAT(quarter(6), Fails("odd"));
  EXPECT_THAT(check(8), IsOk());
  EXPECT_THAT(check(7), Fails("odd"));
}

TEST(Result, ValuesThatCannotBeCopiedAreMoved) {
  const auto boxed = box(8);
  ASSERT_THAT(boxed, IsOk());
  EXPECT_EQ(**boxed, 4);
}

TEST(Error, SeenFromFurtherUpItKeepsWhoCanHelp) {
  const auto error = Error{Recovery::retry, "disk full", "free some"}.within("writing a");
  EXPECT_EQ(error.recovery, Recovery::retry);
  EXPECT_EQ(to_string(error), "writing a: disk full (free some)");
  EXPECT_EQ(to_string(Error{Recovery::hold, "no", ""}), "no");
}

TEST(Error, WhatALaterTryMayMendIsRetried) {
  for (const int number : {ENOSPC, EAGAIN, EIO, EMFILE, EDQUOT}) {
    EXPECT_EQ(errno_error("writing", "a", number).recovery, Recovery::retry) << number;
  }
  for (const int number : {ENOENT, EACCES, ENOTDIR, EEXIST}) {
    EXPECT_EQ(errno_error("writing", "a", number).recovery, Recovery::hold) << number;
  }
  EXPECT_EQ(errno_error("writing", "a", ENOSPC).what, "writing a: No space left on device");
  EXPECT_THAT(errno_error("writing", "a", ENOSPC).hint, HasSubstr("free some space"));
}

TEST(CheckDeathTest, AMistakeOfOursEndsTheProcessAndSaysWhere) {
  EXPECT_DEATH(CHECK(1 == 2), "result_test.cpp.*CHECK failed: 1 == 2");
}

TEST(Error, IsOfTheSettingsUnlessALaterTryMayMendIt) {
  EXPECT_EQ((Error{Recovery::hold, "no", "", Blame::settings}).within("a").blame, Blame::settings);
  EXPECT_EQ(of_settings(Result<int>(hold("a wrong key"))).error().blame, Blame::settings);
  EXPECT_EQ(of_settings(Result<int>(retry("the disk is full"))).error().blame, Blame::world);
  EXPECT_EQ(of_settings(Result<int>(3)).value(), 3);
}

}  // namespace
}  // namespace cmpost
