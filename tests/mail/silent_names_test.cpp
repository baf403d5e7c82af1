#include <gmock/gmock.h>

#include <thread>

#include "mail/wire/connection.h"
#include "tests/support/matchers.h"
#include "tests/support/silent_name_server.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

TEST(MailConnection, DoesNotWaitForASilentNameServerWhenStopped) {
  for (const std::string scheme : {"imap", "pop3", "smtp"}) {
    std::stop_source stop;
    const std::jthread stopper([&, before = silent_names_asked.load()] {
      silent_names_asked.wait(before);
      stop.request_stop();
    });
    MailUrl url;
    url.scheme = scheme;
    url.host = scheme + "." + kSilentName;
    url.port = 99;
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_THAT(MailConnection::open(url, {}, {}, 1h, stop.get_token()),
                Fails(::testing::HasSubstr("a stop was requested")));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s) << scheme;
  }
}

TEST(MailConnection, LeavesOneLookUpBehindForASilentName) {
  const int before = silent_names_asked;
  MailUrl url;
  url.scheme = "imap";
  url.host = std::string("again.") + kSilentName;
  url.port = 99;
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(MailConnection::open(url, {}, {}, 1ms, {}),
                Fails(::testing::HasSubstr("it took too long")));
  }
  EXPECT_EQ(silent_names_asked, before + 1);
}

TEST(MailConnection, FindsAServerByItsName) {
  MailUrl url;
  url.scheme = "smtp";
  url.host = "localhost";
  url.port = 1;
  EXPECT_THAT(MailConnection::open(url, {}, {}, 10s, {}),
              Fails(::testing::HasSubstr("it cannot be reached")));
}

}  // namespace
}  // namespace cmpost
