#include "base/presence.h"

#include "tests/support/directory_tools.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Presence, MissingIsNoError) {
  const TemporaryDirectory directory;
  EXPECT_FALSE(is_there(directory / "a").value());
  EXPECT_EQ(read_if_there(directory / "a", 10).value(), std::nullopt);
  const auto open = open_directory(directory.path()).value();
  EXPECT_FALSE(is_there(open, "a").value());
  EXPECT_EQ(read_if_there(open, "a", 10).value(), std::nullopt);
  EXPECT_THAT(names_if_there(directory / "a").value(), IsEmpty());
  write_in_place(directory / "a", "x");
  EXPECT_TRUE(is_there(directory / "a").value());
  EXPECT_EQ(text_of(*read_if_there(directory / "a", 10).value()), "x");
  EXPECT_TRUE(is_there(open, "a").value());
  EXPECT_EQ(text_of(*read_if_there(open, "a", 10).value()), "x");
}

TEST(Presence, WhatCannotBeFoundOutIsOne) {
  const TemporaryDirectory directory;
  write_in_place(directory / "a", "longer than that");
  EXPECT_THAT(read_if_there(directory / "a", 3), Fails(HasSubstr("limit")));
  EXPECT_THAT(is_there(directory / "a/b"), Fails(HasSubstr("Not a directory")));
  EXPECT_THAT(read_if_there(directory / "a/b", 10), Fails(HasSubstr("Not a directory")));
  EXPECT_THAT(names_if_there(directory / "a"), Fails(HasSubstr("Not a directory")));
}

}  // namespace
}  // namespace cmpost
