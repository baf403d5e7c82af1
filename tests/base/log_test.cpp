#include "base/log.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "base/files.h"
#include "tests/support/no_more_threads.h"

namespace cmpost {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

template <typename Write>
std::string logged(const log::Settings& settings, Write write) {
  log::configure(settings);
  ::testing::internal::CaptureStderr();
  write();
  auto text = ::testing::internal::GetCapturedStderr();
  log::configure({});
  return text;
}

TEST(Log, OneEventIsOneLine) {
  const auto text = logged({}, [] {
    log::info("job.held",
              {{"job", "ab12"}, {"attempts", 3}, {"reason", "disk full"}, {"empty", ""}});
  });
  EXPECT_THAT(text,
              EndsWith("Z info job.held job=ab12 attempts=3 reason=\"disk full\" empty=\"\"\n"));
}

TEST(Log, WhatAStrangerWroteCannotMakeALineOfItsOwn) {
  const auto text = logged({}, [] {
    log::info("a", {{"name", "x\n2026-01-01T00:00:00Z info job.done"}, {"quote", "a\"b\\c"}});
  });
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_THAT(text, AllOf(HasSubstr("\"x\\\\x0a2026"), HasSubstr(R"(quote="a\"b\\c")")));
}

TEST(Log, JsonIsJson) {
  const auto text = logged({.level = log::Level::info, .json = true}, [] {
    log::warning("a.b", {{"name", "x\n\"y\""}});
  });
  EXPECT_THAT(text, EndsWith(R"("level":"warning","event":"a.b","name":"x\\x0a\"y\""})"
                             "\n"));
}

TEST(Log, LowerLevelsAreLeftOut) {
  EXPECT_THAT(logged({.level = log::Level::warning}, [] { log::info("a"); }), IsEmpty());
  EXPECT_THAT(logged({.level = log::Level::debug}, [] { log::debug("a"); }), EndsWith(" a\n"));
}

// Standard error is a pipe.
class PipedStderr {
 public:
  PipedStderr() { use_new_pipe(); }
  ~PipedStderr() { end(); }

  // Its reader goes, and there is another one.
  void use_new_pipe() {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    reader_ = FileDescriptor(ends[0]);
    EXPECT_EQ(::dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    ::close(ends[1]);
  }
  // What is there, at least one octet; empty: nobody can write any more.
  std::string read() {
    std::array<char, 65536> some;
    const auto count = ::read(reader_.get(), some.data(), some.size());
    return {some.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0))};
  }
  void lose_reader() { reader_ = FileDescriptor(); }
  // The old one again.
  void end() { ::dup2(old_.get(), STDERR_FILENO); }

 private:
  const FileDescriptor old_{::dup(STDERR_FILENO)};
  FileDescriptor reader_;
};

TEST(Log, AReaderThatStopsStopsNobody) {
  PipedStderr pipe;
  constexpr std::size_t kLines = 20'000;
  for (std::size_t i = 0; i < kLines; ++i) {
    log::info("a.b", {{"number", i}, {"text", std::string(100, 'x')}});
  }
  log::flush(std::chrono::milliseconds(10));  // in vain
  // It reads again: what was kept comes, and how many were lost.
  std::string text;
  std::size_t lost = 0;
  while (lost == 0) {
    const auto some = pipe.read();
    ASSERT_FALSE(some.empty());
    text += some;
    const auto at = text.find("log.lines_lost lines=");
    if (at != std::string::npos && text.find('\n', at) != std::string::npos) {
      lost = std::stoul(text.substr(at + std::string_view("log.lines_lost lines=").size()));
    }
  }
  log::flush(std::chrono::seconds(5));
  pipe.end();
  std::size_t came = 0;
  for (auto at = text.find(" a.b "); at != std::string::npos; at = text.find(" a.b ", at + 1)) {
    ++came;
  }
  EXPECT_GT(came, 1000U);
  EXPECT_EQ(came + lost, kLines);
}

TEST(Log, WhatNoThreadCanBeHadForIsWrittenWithALaterLine) {
  PipedStderr pipe;
  {
    const NoMoreThreads none;
    for (int i = 0; i < 1000; ++i) log::info("a.b", {{"text", std::string(100, 'x')}});
  }
  std::string text = pipe.read();
  log::info("the.last");
  while (text.find("the.last") == std::string::npos) text += pipe.read();
  EXPECT_EQ(std::ranges::count(text, '\n'), 1001);
}

TEST(Log, ALineThatWasTornDoesNotRunIntoTheNextOne) {
  ::signal(SIGPIPE, SIG_IGN);
  PipedStderr pipe;
  const std::string half_a_page(2000, 'x');  // a pipe takes a short line whole or not at all
  for (int i = 0; i < 50; ++i) {
    log::info("a.b", {{"1", half_a_page},
                      {"2", half_a_page},
                      {"3", half_a_page},
                      {"4", half_a_page},
                      {"5", half_a_page}});
  }
  pipe.lose_reader();
  log::flush(std::chrono::seconds(5));
  pipe.use_new_pipe();
  log::info("c.d");
  const auto text = pipe.read();
  EXPECT_THAT(text, StartsWith("\n2"));
  EXPECT_THAT(text, EndsWith(" c.d\n"));
}

}  // namespace
}  // namespace cmpost
