#include "watcher/media/copy_ledger.h"

#include "tests/support/directory_tools.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/unreadable.h"

namespace cmpost {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

CopiedFile copied(const std::string& name, const std::string& contents) {
  return {name, contents.size(), 1, sha256(view_of(contents))};
}

TEST(CopyLedger, KnowsWhatItHasTakenAlsoWhenOpenedAnew) {
  const TemporaryDirectory directory;
  const auto file = copied("dev1.pki", "x");
  auto ledger = CopyLedger::open(directory.path()).value();
  ASSERT_THAT(ledger.write_copy(file, view_of("x")), IsOk());
  ASSERT_THAT(ledger.commit({file}), IsOk());
  EXPECT_THAT(names_in(ledger.in()), ElementsAre("dev1.pki"));
  EXPECT_TRUE(CopyLedger::open(directory.path()).value().has(file));
}

TEST(CopyLedger, OneThatCannotBeReadIsNotAnEmptyOne) {
  const TemporaryDirectory directory;
  const auto file = copied("dev1.pki", "x");
  auto ledger = CopyLedger::open(directory.path()).value();
  ASSERT_THAT(ledger.write_copy(file, view_of("x")), IsOk());
  ASSERT_THAT(ledger.commit({file}), IsOk());
  const Unreadable copies(directory / "copied");
  EXPECT_THAT(CopyLedger::open(directory.path()), Fails(HasSubstr("symbolic links")));
}

}  // namespace
}  // namespace cmpost
