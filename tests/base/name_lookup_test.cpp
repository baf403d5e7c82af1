#include "base/name_lookup.h"

#include <gmock/gmock.h>

#include <thread>

#include "tests/support/matchers.h"
#include "tests/support/no_more_threads.h"
#include "tests/support/silent_name_server.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

Result<AddressesPtr> find_soon(const std::string& host) {
  return find_addresses(host, 22, std::chrono::steady_clock::now() + 1ms, [] { return false; });
}

std::string below_silent_name(const std::string& label) { return label + "." + kSilentName; }

TEST(NameLookup, FindsNamesAndAddresses) {
  for (const auto* host : {"localhost", "127.0.0.1"}) {
    const auto found =
        find_addresses(host, 22, std::chrono::steady_clock::now() + 10s, [] { return false; });
    ASSERT_THAT(found, IsOk());
    EXPECT_NE(*found, nullptr);
  }
}

TEST(NameLookup, ASilentNameServerIsAskedOnceForAName) {
  const int before = silent_names_asked;
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(find_soon(below_silent_name("one")), Fails(HasSubstr("has answered in time")));
  }
  EXPECT_EQ(silent_names_asked, before + 1);
}

TEST(NameLookup, WhereNoThreadCanBeHadItIsAnErrorThatNamesTheHost) {
  const NoMoreThreads none;
  EXPECT_THAT(find_soon("localhost"), Fails(HasSubstr("address of localhost: starting a thread")));
}

TEST(NameLookup, SoManyAreLeftToThemselvesAndNoMore) {
  const int before = silent_names_asked;
  Result<AddressesPtr> last;
  for (std::size_t i = 0; i <= kMostLookups; ++i) {
    last = find_soon(below_silent_name("many" + std::to_string(i)));
  }
  ASSERT_THAT(last, Fails(HasSubstr("other names are being asked for")));
  EXPECT_EQ(last.error().recovery, Recovery::retry);
  EXPECT_LE(silent_names_asked, before + static_cast<int>(kMostLookups));
  silence_of_name_servers.leave();
  const auto found = [] { return find_soon("127.0.0.1").has_value(); };
  while (!found()) std::this_thread::yield();
}

}  // namespace
}  // namespace cmpost
