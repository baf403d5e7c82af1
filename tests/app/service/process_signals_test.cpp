#include "app/service/process_signals.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <thread>

#include "app/terminal/exit_code.h"
#include "base/at_work.h"
#include "tests/support/no_more_threads.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

// In a process of its own: its wait status.
int apart(const std::function<int()>& work) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(work());
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}

void ask(int signal) { ::kill(::getpid(), signal); }

MATCHER_P(Exits, code, "") { return WIFEXITED(arg) && WEXITSTATUS(arg) == code; }

TEST(ProcessSignals, AreARequestToStop) {
  for (const int signal : {SIGTERM, SIGINT}) {
    EXPECT_THAT(apart([=] {
                  const auto signals = ProcessSignals::create(Asked::reload).value();
                  if (signals->wait(1ms) != Asked::nothing) return 1;
                  ask(signal);
                  if (signals->wait(1min) != Asked::stop) return 2;
                  return signals->wait(1ms) == Asked::stop ? 0 : 3;  // for good
                }),
                Exits(0));
  }
}

TEST(ProcessSignals, ManyHangupsAreOneReload) {
  EXPECT_THAT(apart([] {
                const auto signals = ProcessSignals::create(Asked::reload).value();
                ask(SIGHUP);
                if (signals->wait(1min) != Asked::reload) return 1;
                return signals->wait(1ms) == Asked::nothing ? 0 : 2;
              }),
              Exits(0));
}

TEST(ProcessSignals, AHangupStopsWhatHasATerminal) {
  EXPECT_THAT(apart([] {
                const auto signals = ProcessSignals::create(Asked::stop).value();
                ask(SIGHUP);
                return signals->wait(1min) == Asked::stop ? 0 : 1;
              }),
              Exits(0));
  EXPECT_THAT(apart([] {
                ::signal(SIGHUP, SIG_IGN);  // nohup(1)
                const auto signals = ProcessSignals::create(Asked::stop).value();
                ask(SIGHUP);
                return signals->wait(50ms) == Asked::nothing ? 0 : 1;
              }),
              Exits(0));
}

TEST(ProcessSignals, WaitEndsWhenThereIsNews) {
  EXPECT_THAT(apart([] {
                const auto signals = ProcessSignals::create(Asked::stop).value();
                const auto start = std::chrono::steady_clock::now();
                std::jthread other([&] { signals->wake(); });
                if (signals->wait(1min) != Asked::nothing) return 1;
                if (std::chrono::steady_clock::now() - start > 50s) return 2;
                other.join();
                return signals->wait(1ms) == Asked::nothing ? 0 : 3;  // old news
              }),
              Exits(0));
}

TEST(ProcessSignals, AreNotTakenWithoutAThread) {
  EXPECT_THAT(apart([] {
                const NoMoreThreads none;
                return ProcessSignals::create(Asked::stop) ? 1 : 0;
              }),
              Exits(0));
}

TEST(ProcessSignals, WhatHangsIsNamedAndEnded) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THAT(apart([&] {
                ::dup2(ends[1], STDERR_FILENO);
                const auto signals = ProcessSignals::create(Asked::reload).value();
                const AtWork at_work("waiting for a disk");
                ask(SIGTERM);
                std::this_thread::sleep_for(1min);
                return 0;
              }),
              Exits(static_cast<int>(ExitCode::hung)));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 30s);
  ::close(ends[1]);
  char said[4096] = {};
  EXPECT_GT(::read(ends[0], said, sizeof said - 1), 0);
  ::close(ends[0]);
  EXPECT_THAT(said, ::testing::HasSubstr("at_work=\"waiting for a disk\""));
}

}  // namespace
}  // namespace cmpost
