#include "base/file_lock.h"

#include "tests/support/temporary_directory.h"

namespace cmpost {
namespace {

TEST(FileLock, IsHeldByOneAsLongAsItLives) {
  const TemporaryDirectory place;
  const auto path = place / "lock";
  EXPECT_FALSE(is_locked(path)) << "there is no file";
  {
    const auto held = try_lock(path);
    ASSERT_TRUE(held && *held);
    EXPECT_TRUE(is_locked(path));
    const auto other = try_lock(path);
    ASSERT_TRUE(other);
    EXPECT_FALSE(*other) << "somebody has it";
  }
  EXPECT_FALSE(is_locked(path));
  EXPECT_TRUE(try_lock(path).value());
}

TEST(FileLock, InADirectoryThatIsNotThereIsAnError) {
  EXPECT_FALSE(try_lock("/nowhere/lock"));
  EXPECT_FALSE(is_locked("/nowhere/lock"));
}

}  // namespace
}  // namespace cmpost
