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

TEST(Ascii, BeginningsAndEndsMayDifferInCase) {
  EXPECT_TRUE(starts_with_letters("List-Id", "list-"));
  EXPECT_FALSE(starts_with_letters("list", "list-"));
  EXPECT_TRUE(ends_with_letters("A.PKI", ".pki"));
  EXPECT_TRUE(ends_with_letters(".pki", ".PKI"));
  EXPECT_FALSE(ends_with_letters("pki", ".pki"));
  EXPECT_TRUE(ends_with_letters("a", ""));
}

}  // namespace
}  // namespace cmpost
