#include "base/log.h"

#include <gmock/gmock.h>

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

}  // namespace
}  // namespace cmpost
