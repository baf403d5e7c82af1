#include "sftp/wire/socket_watchdog.h"

#include <gmock/gmock.h>
#include <sys/socket.h>

#include "tests/support/matchers.h"
#include "tests/support/no_more_threads.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class SocketWatchdogTest : public ::testing::Test {
 protected:
  SocketWatchdogTest() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    ours_ = FileDescriptor(ends[0]);
    theirs_ = FileDescriptor(ends[1]);
  }

  FileDescriptor ours_, theirs_;
  SocketWatchdog dog_;
};

TEST_F(SocketWatchdogTest, EndsWhatTakesTooLong) {
  const auto watch = dog_.watch(ours_.get(), 1ms);
  ASSERT_THAT(watch, IsOk());
  (*watch)->arm();
  char octet = 0;
  EXPECT_EQ(::recv(ours_.get(), &octet, 1, 0), 0) << "waits until it is shut down";
  EXPECT_TRUE((*watch)->fired());
}

TEST_F(SocketWatchdogTest, WithoutAThreadNothingIsWatchedAndTheNextMayTryAgain) {
  {
    const NoMoreThreads none;
    EXPECT_THAT(dog_.watch(ours_.get(), 1ms), Fails(HasSubstr("starting a thread")));
  }
  EXPECT_THAT(dog_.watch(ours_.get(), 1ms), IsOk());
}

}  // namespace
}  // namespace cmpost
