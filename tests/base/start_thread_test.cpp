#include "base/start_thread.h"

#include <gmock/gmock.h>

#include <csignal>

#include "base/group_sync.h"
#include "tests/support/matchers.h"
#include "tests/support/no_more_threads.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;

TEST(StartThread, RunsTheWork) {
  bool ran = false;
  {
    ASSERT_THAT(start_thread([&] { ran = true; }), IsOk());
  }
  EXPECT_TRUE(ran);
}

TEST(StartThread, OneThatCannotBeStartedIsWorthARetry) {
  const NoMoreThreads none;
  const auto started = start_thread([] {});
  ASSERT_THAT(started, Fails(HasSubstr("starting a thread")));
  EXPECT_EQ(started.error().recovery, Recovery::retry);
}

TEST(StartThread, SignalsStayWithWhoeverHadThemBefore) {
  sigset_t before, after, inside;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &before);
  {
    ASSERT_THAT(start_thread([&] { ::pthread_sigmask(SIG_SETMASK, nullptr, &inside); }), IsOk());
  }
  ::pthread_sigmask(SIG_SETMASK, nullptr, &after);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) {
    EXPECT_EQ(sigismember(&inside, signal), 1);
    EXPECT_EQ(sigismember(&after, signal), sigismember(&before, signal));
  }
  EXPECT_EQ(sigismember(&inside, SIGSEGV), 0) << "a fault of its own is told";
}

TEST(SyncGroup, NeedsNoThreads) {
  const NoMoreThreads none;
  EXPECT_THAT(sync_group(std::vector<int>(100, -1)), ::testing::Each(EBADF));
}

}  // namespace
}  // namespace cmpost
