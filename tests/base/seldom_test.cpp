#include "base/seldom.h"

#include <gtest/gtest.h>

#include <string>

namespace cmpost {
namespace {

TEST(Seldom, IsEmptyUntilItGetsAValue) {
  Seldom<std::string> text;
  EXPECT_FALSE(text);
  text = std::string("here");
  ASSERT_TRUE(text.has_value());
  EXPECT_EQ(*text, "here");
  EXPECT_EQ(text->size(), 4U);
  text.reset();
  EXPECT_FALSE(text.has_value());
  EXPECT_EQ(text.emplace(3, 'x'), "xxx");
  text = std::nullopt;
  EXPECT_FALSE(text);
}

TEST(Seldom, CopiesTheValueAndNotThePlace) {
  Seldom<std::string> first = std::string("one");
  Seldom<std::string> second = first;
  *second = "two";
  EXPECT_EQ(*first, "one");
  second = first;
  EXPECT_EQ(*second, "one");
  EXPECT_NE(&*first, &*second);
  const Seldom<std::string> nothing;
  second = nothing;
  EXPECT_FALSE(second);
  const auto& same = first;
  first = same;
  EXPECT_EQ(*first, "one");
}

TEST(Seldom, MovesTheValueAway) {
  Seldom<std::string> first = std::string("one");
  const Seldom<std::string> second = std::move(first);
  EXPECT_EQ(*second, "one");
  const std::string taken = *Seldom<std::string>(std::string("two"));
  EXPECT_EQ(taken, "two");
}

TEST(Seldom, TakesAnOptional) {
  Seldom<std::string> text = std::optional<std::string>("here");
  EXPECT_EQ(*text, "here");
  text = std::optional<std::string>();
  EXPECT_FALSE(text);
}

}  // namespace
}  // namespace cmpost
