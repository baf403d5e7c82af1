#include "app/process_signals.h"

#include <gmock/gmock.h>
#include <pthread.h>

#include <csignal>
#include <thread>

namespace cmpost {
namespace {

using namespace std::chrono_literals;

// In a thread of its own, whose mask dies with it.
template <typename Work>
void apart(const Work& work) {
  std::thread(work).join();
}

TEST(ProcessSignals, AreARequestToStop) {
  apart([] {
    ProcessSignals signals;
    EXPECT_FALSE(signals.wait_for_stop(1ms));
    for (const int signal : {SIGTERM, SIGINT}) {
      ASSERT_EQ(::pthread_kill(::pthread_self(), signal), 0);
      EXPECT_TRUE(signals.wait_for_stop(1min));
    }
    EXPECT_FALSE(signals.wait_for_stop(1ms)) << "each counts once";
  });
}

TEST(ProcessSignals, WaitEndsWhenThereIsNews) {
  apart([] {
    ProcessSignals signals;
    const auto start = std::chrono::steady_clock::now();
    std::jthread other([&] { signals.wake(); });
    EXPECT_FALSE(signals.wait_for_stop(1min));
    EXPECT_LT(std::chrono::steady_clock::now() - start, 50s);
    other.join();
    EXPECT_FALSE(signals.wait_for_stop(1ms)) << "old news";
  });
}

}  // namespace
}  // namespace cmpost
