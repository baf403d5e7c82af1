#include "base/log.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <array>

#include "base/files.h"

namespace cmpost {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

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

TEST(Log, AReaderThatStopsStopsNobody) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const FileDescriptor reader(ends[0]), old(::dup(STDERR_FILENO));
  ASSERT_EQ(::dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
  ::close(ends[1]);
  constexpr std::size_t kLines = 20'000;
  for (std::size_t i = 0; i < kLines; ++i) {
    log::info("a.b", {{"number", i}, {"text", std::string(100, 'x')}});
  }
  log::flush(std::chrono::milliseconds(10));  // in vain
  // It reads again: what was kept comes, and how many were lost.
  std::string text;
  std::array<char, 65536> some;
  std::size_t lost = 0;
  while (lost == 0) {
    const auto count = ::read(reader.get(), some.data(), some.size());
    ASSERT_GT(count, 0);
    text.append(some.data(), static_cast<std::size_t>(count));
    const auto at = text.find("log.lines_lost lines=");
    if (at != std::string::npos && text.find('\n', at) != std::string::npos) {
      lost = std::stoul(text.substr(at + std::string_view("log.lines_lost lines=").size()));
    }
  }
  log::flush(std::chrono::seconds(5));
  ASSERT_EQ(::dup2(old.get(), STDERR_FILENO), STDERR_FILENO);
  std::size_t came = 0;
  for (auto at = text.find(" a.b "); at != std::string::npos; at = text.find(" a.b ", at + 1)) {
    ++came;
  }
  EXPECT_GT(came, 1000U);
  EXPECT_EQ(came + lost, kLines);
}

}  // namespace
}  // namespace cmpost
