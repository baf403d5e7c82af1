#include "base/ascii.h"

#include <gtest/gtest.h>

namespace cmpost {
namespace {

TEST(Ascii, KnowsItsOwnLettersOnly) {
  EXPECT_EQ(lower_ascii("AZaz@[`{09-\xc4"), "azaz@[`{09-\xc4");
  EXPECT_EQ(lower_ascii(std::string_view("A\0B", 3)), std::string_view("a\0b", 3));
  EXPECT_EQ(lower_ascii(""), "");
}

TEST(Ascii, SameLettersMayDifferInCase) {
  EXPECT_TRUE(same_letters("Host.Example", "hOST.example"));
  EXPECT_FALSE(same_letters("host", "host."));
  EXPECT_FALSE(same_letters("@", "`")) << "no letters, though 32 apart";
}

}  // namespace
}  // namespace cmpost
