#include "app/instance/instance.h"

#include <gmock/gmock.h>

#include "tests/app/instance_under_test.h"
#include "tests/support/no_more_threads.h"

namespace cmpost {
namespace {

TEST(Instance, ClosesItsDatabasesWhereThereAreNoMoreThreads) {
  const TemporaryDirectory directory;
  make_instance(directory / "x");
  const SystemClock clock;
  auto instance = open_instance(directory / "x", clock);
  ASSERT_THAT(instance->spool(), IsOk());
  ASSERT_THAT(instance->ledger(), IsOk());
  const NoMoreThreads none;
  instance.reset();
}

}  // namespace
}  // namespace cmpost
