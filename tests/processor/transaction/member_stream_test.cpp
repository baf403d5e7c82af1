// What the members of a batch change, on its way from the workers to the ledger.
#include "processor/transaction/member_stream.h"

#include <gmock/gmock.h>

#include <future>
#include <thread>

namespace cmpost {
namespace {

using namespace std::chrono_literals;

Effects effects_of(std::size_t member) {
  Effects effects;
  effects.audit.push_back({"test", std::to_string(member)});
  return effects;
}

template <typename F>
std::future<void> in_thread(F&& work) {
  return std::async(std::launch::async, std::forward<F>(work));
}

TEST(MemberStream, MembersComeInOrderWhateverOrderTheyWereMadeIn) {
  constexpr std::size_t kMembers = 200;
  MemberStream stream(kMembers);
  const auto workers = in_thread([&] {
    for (std::size_t i = 0; i < kMembers; i += 4) {
      for (const std::size_t one : {i + 2, i + 1, i + 3, i}) stream.put(one, effects_of(one));
    }
    stream.end();
  });
  for (std::size_t i = 0; i < kMembers; ++i) {
    const auto* effects = stream.wait_for(i).value();
    ASSERT_NE(effects, nullptr) << i;
    EXPECT_EQ(effects->audit.front().detail, std::to_string(i));
  }
  EXPECT_NE(stream.wait_for(0).value(), nullptr) << "it may be asked again";
}

TEST(MemberStream, MemberThatIsMissingAtTheEndDoesNotCome) {
  MemberStream stream(3);
  stream.put(0, effects_of(0));
  auto missing = in_thread([&] { EXPECT_EQ(stream.wait_for(1), nullptr); });
  EXPECT_EQ(missing.wait_for(50ms), std::future_status::timeout);
  stream.end();
  missing.get();
  EXPECT_NE(stream.wait_for(0).value(), nullptr);
  EXPECT_EQ(stream.wait_for(2), nullptr);
}

TEST(MemberStream, MemberIsWaitedForAsLongAsIsSaid) {
  MemberStream stream(100);
  const auto soon = [] { return std::chrono::steady_clock::now() + 20ms; };
  EXPECT_EQ(stream.wait_for(0, soon()), std::nullopt);
  stream.put(1, effects_of(1));
  EXPECT_EQ(stream.wait_for(0, soon()), std::nullopt);
  EXPECT_NE(stream.wait_for(1, MemberStream::Moment()).value(), nullptr) << "it is there";
  stream.end();
  EXPECT_EQ(stream.wait_for(0, soon()), nullptr);
}

TEST(MemberStream, SlowKeyIsWaitedForBeforeAnythingIsLocked) {
  MemberStream stream(1'000'000);
  std::this_thread::sleep_for(50ms);  // for the first 64: a quarter of an hour for all
  for (std::size_t i = 0; i < 64; ++i) stream.put(i, effects_of(i));
  auto soon = in_thread([&] { stream.wait_until_soon(); });
  EXPECT_EQ(soon.wait_for(200ms), std::future_status::timeout);
  stream.end();
  soon.get();
}

TEST(MemberStream, FastKeyIsNotWaitedFor) {
  MemberStream stream(100);
  for (std::size_t i = 0; i < 64; ++i) stream.put(i, effects_of(i));
  stream.wait_until_soon();
  MemberStream nobody(0);
  nobody.wait_until_soon();
}

TEST(MemberStream, OneRevocationMakesACrlDue) {
  MemberStream stream(2);
  stream.put(0, effects_of(0));
  EXPECT_FALSE(stream.changes_crl());
  Effects revoking;
  revoking.revocations.push_back({});
  stream.put(1, std::move(revoking));
  EXPECT_TRUE(stream.changes_crl());
}

}  // namespace
}  // namespace cmpost
