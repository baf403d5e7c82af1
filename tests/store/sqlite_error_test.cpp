#include "store/sqlite_error.h"

#include <cerrno>

#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kCorrupt = 11;  // SQLITE_CORRUPT

TEST(SqliteError, APageThatTheDiskDoesNotGiveIsWorthARetryAndNoBackup) {
  errno = EIO;
  const auto error = sqlite_error(nullptr, kCorrupt, "using database", "a.db");
  EXPECT_EQ(error.recovery, Recovery::retry);
  EXPECT_THAT(error.what, HasSubstr("using database a.db: disk I/O error: Input/output error"));
  EXPECT_THAT(error.hint, HasSubstr("the disk fails"));
  EXPECT_THAT(error.hint, Not(HasSubstr("backup")));
}

TEST(SqliteError, DamageThatTheSystemKnowsNothingOfIsLookedAtBeforeABackupIsRestored) {
  for (const int number : {0, ENOENT}) {
    errno = number;
    const auto error = sqlite_error(nullptr, kCorrupt, "using database", "a.db");
    EXPECT_EQ(error.recovery, Recovery::hold);
    EXPECT_THAT(error.what, HasSubstr("malformed"));
    EXPECT_THAT(error.hint, HasSubstr("integrity_check"));
  }
}

}  // namespace
}  // namespace cmpost
