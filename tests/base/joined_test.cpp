#include "base/joined.h"

#include <gtest/gtest.h>

namespace cmpost {
namespace {

TEST(Joined, HasWhatIsBetweenOnlyBetween) {
  EXPECT_EQ(joined({}), "");
  EXPECT_EQ(joined({"a"}), "a");
  EXPECT_EQ(joined({"a", "", "b"}), "a, , b");
  EXPECT_EQ(joined({"", "a"}, "\n"), "\na");
}

}  // namespace
}  // namespace cmpost
