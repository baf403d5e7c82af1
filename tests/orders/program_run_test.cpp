#include <signal.h>

#include <thread>

#include "orders/judge_program.h"
#include "tests/orders/program.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using What = ProgramVerdict::What;

class ProgramTest : public ::testing::Test {
 protected:
  ProgramVerdict verdict(const std::string& script, const std::stop_token& stop = {}) {
    program_.answer(script);
    ProgramRun run{program_.path(),
                   {{"CMPOST_OPERATION", "SUBMIT"}, {"PATH", "/usr/bin:/bin"}},
                   to_bytes("the request\n"),
                   1000,
                   limit_};
    return judge_program(run_program(run, stop), "order");
  }
  std::string text(const std::string& script) {
    return std::string(text_of(verdict(script).payload));
  }

  TemporaryDirectory directory_;
  OrderProgram program_{directory_.path()};
  Duration limit_ = 20s;
};

TEST_F(ProgramTest, ItMayOpenItsInputAndOutputAgain) {
  EXPECT_EQ(text("[ -p /dev/stdin ] && echo cookie > /dev/stdout; exit 1"), "cookie");
}

TEST_F(ProgramTest, EachExitCodeHasItsMeaning) {
  EXPECT_EQ(verdict("exit 0").what, What::unknown) << "no certificate";
  EXPECT_EQ(verdict("echo cookie; exit 1").what, What::working);
  EXPECT_EQ(text("echo cookie; exit 1"), "cookie");
  EXPECT_EQ(verdict("echo too dear; exit 2").what, What::refused);
  EXPECT_EQ(text("echo too dear; exit 2"), "too dear");
  EXPECT_EQ(text("exit 2"), "no reason was given");
  EXPECT_EQ(verdict("exit 3").what, What::not_now);
  EXPECT_EQ(verdict("exit 3").why.recovery, Recovery::retry);
  EXPECT_EQ(verdict("exit 4").why.recovery, Recovery::hold);
  const auto later = verdict("echo 90; echo number 7; exit 5");
  EXPECT_EQ(later.what, What::working);
  EXPECT_EQ(later.after, Duration(90s));
  EXPECT_EQ(text_of(later.payload), "number 7");
  EXPECT_EQ(verdict("echo soon; exit 5").what, What::unknown);
  EXPECT_EQ(verdict("exit 6").what, What::unknown);
}

TEST_F(ProgramTest, ItGetsTheRequestAndACleanEnvironment) {
  ::setenv("CMPOST_TEST_SECRET", "x", 1);
  EXPECT_EQ(text("echo \"$CSR\"; exit 1"), "the request");
  EXPECT_EQ(text("echo \"$CMPOST_OPERATION $CMPOST_TEST_SECRET\"; exit 1"), "SUBMIT");
  ::unsetenv("CMPOST_TEST_SECRET");
}

TEST_F(ProgramTest, WhatEndsOtherwiseIsNotKnown) {
  EXPECT_THAT(verdict("kill -9 $$").why.what, HasSubstr("signal 9"));
  EXPECT_THAT(verdict("head -c 5000 /dev/zero; exit 1").why.what, HasSubstr("more than 1000"));
  limit_ = 300ms;
  const auto hangs = verdict("sleep 60 & echo $! > \"$0.child\"; wait");
  EXPECT_EQ(hangs.what, What::unknown);
  EXPECT_THAT(hangs.why.what, HasSubstr("time_limit"));
  const auto child = std::stoi(contents_of(program_.path() + ".child"));
  // Killed with its parent; perhaps nobody has reaped it yet.
  for (int i = 0; i < 500 && ::kill(child, 0) == 0; ++i) {
    const auto state = contents_of("/proc/" + std::to_string(child) + "/stat");
    if (state.find(") Z") != std::string::npos) break;
    ::usleep(10'000);
  }
  EXPECT_TRUE(::kill(child, 0) != 0 ||
              contents_of("/proc/" + std::to_string(child) + "/stat").find(") Z") !=
                  std::string::npos);
}

TEST_F(ProgramTest, AStopEndsItSoon) {
  std::stop_source stop;
  const std::jthread later([&] { stop.request_stop(); });
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(verdict("exec sleep 60", stop.get_token()).what, What::unknown);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
}

TEST_F(ProgramTest, AChildThatHoldsItsOutputIsNotWaitedFor) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(text("sleep 60 & echo cookie; exit 1"), "cookie");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
}

TEST_F(ProgramTest, OneThatIsNotThereHasOrderedNothing) {
  const ProgramRun run{directory_ / "none", {}, {}, 1000, limit_};
  const auto end = run_program(run, {});
  EXPECT_EQ(end.what, ProgramEnd::What::not_started);
  EXPECT_EQ(judge_program(end, "none").what, What::not_now);
}

}  // namespace
}  // namespace cmpost
