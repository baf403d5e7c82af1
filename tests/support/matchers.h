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

}  // namespace cmpost
