// EXPECT_THAT(result, IsOk()); EXPECT_THAT(result, Fails(HasSubstr("...")));
#pragma once

#include <gmock/gmock.h>

#include "base/result.h"

namespace cmpost {

MATCHER(IsOk, negation ? "fails" : "is OK") {
  if (arg) return true;
  if constexpr (requires { arg.error().what; }) *result_listener << "error: " << arg.error().what;
  return false;
}

MATCHER_P(Fails, what,
          "fails with a text that " + ::testing::DescribeMatcher<std::string>(what, negation)) {
  if (arg) {
    *result_listener << "is OK";
    return false;
  }
  return ::testing::ExplainMatchResult(what, arg.error().what, result_listener);
}

// `value`: a value or a matcher.
MATCHER_P(IsOkAnd, value, negation ? "fails or has another value" : "is OK and has the value") {
  if (!arg) {
    *result_listener << "error: " << arg.error().what;
    return false;
  }
  return ::testing::ExplainMatchResult(value, *arg, result_listener);
}

}  // namespace cmpost
