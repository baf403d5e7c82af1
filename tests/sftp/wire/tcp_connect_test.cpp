#include "sftp/wire/tcp_connect.h"

#include <gmock/gmock.h>

#include "tests/support/matchers.h"
#include "tests/support/silent_name_server.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

std::chrono::steady_clock::time_point now() { return std::chrono::steady_clock::now(); }

TEST(TcpConnect, DoesNotWaitForASilentNameServer) {
  const auto begin = now();
  EXPECT_THAT(tcp_connect(kSilentName, 22, 300ms, [] { return false; }),
              Fails(HasSubstr("no name server has answered in time")));
  EXPECT_LT(now() - begin, 10s);
}

TEST(TcpConnect, GivesUpWhileTheNameIsLookedUp) {
  const auto begin = now();
  EXPECT_THAT(tcp_connect(kSilentName, 22, 1h, [] { return true; }), Fails(HasSubstr("finding")));
  EXPECT_LT(now() - begin, 10s);
}

TEST(TcpConnect, FindsNamesAndAddresses) {
  for (const auto* host : {"localhost", "127.0.0.1"}) {
    EXPECT_THAT(tcp_connect(host, 1, 10s, [] { return false; }), Fails(HasSubstr("connecting to")));
  }
}

}  // namespace
}  // namespace cmpost
