#include <gmock/gmock.h>

#include "mail/connection.h"
#include "tests/support/matchers.h"
#include "tests/support/silent_name_server.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

// libcurl asks in a thread of its own, which its handle would wait for.
TEST(MailConnection, DoesNotWaitForASilentNameServerWhenStopped) {
  for (const std::string scheme : {"imap", "pop3", "smtp"}) {
    std::stop_source stop;
    const std::jthread stopper([&, before = silent_names_asked.load()] {
      silent_names_asked.wait(before);
      stop.request_stop();
    });
    MailUrl url;
    url.scheme = scheme;
    url.host = kSilentName;
    url.port = 99;
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_THAT(MailConnection::open(url, {}, {}, 1h, stop.get_token()),
                Fails(::testing::HasSubstr("a stop was requested")));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s) << scheme;
  }
}

}  // namespace
}  // namespace cmpost
