#include "app/top/picture.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "app/terminal/terminal.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::ResultOf;
using ::testing::SizeIs;
using ::testing::StartsWith;

const Time kNow = *from_iso8601("2026-11-21T08:00:00Z");

Glance busy(std::size_t done = 11'988) {
  Glance glance;
  glance.at = kNow;
  glance.now = kNow;
  glance.instance = "vault";
  glance.role = "CA";
  glance.jobs.requests = QueueStatus{{12, 500, 1, 3, done, kNow - 5s}, 0};
  glance.jobs.replies = QueueStatus{{40, 20, 0, 0, done, std::nullopt}, 0};
  glance.certificates = static_cast<std::int64_t>(done);
  WayState works;
  works.last_try = kNow - 2s;
  glance.work.channels = {{"drop", {{Way::in, works}, {Way::out, std::nullopt}}}};
  glance.kinds = {{"drop", "directory"}};
  glance.to_send = {{"drop", 1'234}};
  return glance;
}

std::vector<std::string> wide(const Glance& glance, const Rates& rates = {}) {
  return picture_of(glance, rates, 80, 24);
}

TEST(Picture, ShowsQueuesRatesAndChannels) {
  auto later = busy(13'988);
  later.at += 2s;
  const auto before = busy();
  const auto lines = wide(later, rates_of(&before, later));
  EXPECT_THAT(lines[0], StartsWith("vault (CA)  2026-11-21T08:00:00Z  nobody is at work"));
  EXPECT_THAT(
      lines,
      Contains("requests          12     500         1      3      13 988     1 000       5 s"));
  EXPECT_THAT(
      lines,
      Contains("replies           40      20         0      0      13 988     1 000         -"));
  EXPECT_THAT(lines, Contains("certificates: 13 988, 1 000 a second"));
  EXPECT_THAT(lines, Contains(StartsWith("drop               directory")));
  EXPECT_THAT(lines, Contains(HasSubstr("works, 2 s ago")));
  EXPECT_THAT(lines, Contains(HasSubstr("never tried              1 234")));
}

TEST(Picture, TheFirstLookKnowsNoRates) {
  EXPECT_THAT(wide(busy(), rates_of(nullptr, busy())),
              Contains(HasSubstr("certificates: 11 988, ?")));
}

TEST(Picture, ALedgerThatWasExchangedHasNoRate) {
  auto later = busy(3);
  later.at += 2s;
  const auto before = busy();
  EXPECT_FALSE(rates_of(&before, later).requests);
}

TEST(Picture, FitsIntoTheTerminalWhateverThereIs) {
  auto glance = busy(9'999'999'999);
  for (int i = 0; i < 50; ++i) {
    glance.kinds.emplace_back("a-channel-with-a-very-long-name-" + std::to_string(i), "directory");
    glance.findings.add({Severity::warning,
                         RemarkKind::settings,
                         {},
                         std::string(200, 'x') + std::to_string(i),
                         "",
                         {}});
  }
  for (const std::size_t columns : {20, 80, 200}) {
    const auto lines = picture_of(glance, {}, columns, 24);
    EXPECT_THAT(lines, SizeIs(24));
    EXPECT_THAT(lines, Each(ResultOf([](const auto& line) { return columns_of(line); },
                                     ::testing::Le(columns))));
    EXPECT_THAT(lines.back(), StartsWith("... "));
  }
}

TEST(Picture, WhatCannotBeLookedAtIsNotZero) {
  Glance glance;
  glance.kinds = {{"drop", "directory"}};
  const auto lines = wide(glance);
  EXPECT_THAT(lines, Contains(HasSubstr("requests   cannot be looked at")));
  EXPECT_THAT(lines, Contains(HasSubstr("not known")));
  EXPECT_THAT(lines, Each(Not(HasSubstr("certificates"))));
  EXPECT_TRUE(to_json(glance, {}).at("requests").is_null());
}

TEST(Picture, UrgentThingsComeFirstAndNothingMovesTheCursor) {
  auto glance = busy();
  glance.findings.add({Severity::warning, RemarkKind::settings, {}, "later", "", {}});
  glance.findings.add({Severity::error, RemarkKind::settings, {}, "now \x1b[2J", "", {}});
  const auto lines = wide(glance);
  EXPECT_THAT(lines[lines.size() - 2], StartsWith("URGENT: now"));
  EXPECT_THAT(lines, Each(Not(HasSubstr("\x1b"))));
}

TEST(Picture, ARunThatIsUnderWayIsShown) {
  auto glance = busy();
  RunRow run;
  run.name = "weekend";
  run.number = 7;
  run.started = kNow - 90s;
  glance.run = {run, {.items = 7'431, .refused = 3, .issued = 7'428}};
  EXPECT_THAT(wide(glance),
              Contains("run weekend 7: 7 431 requests, 3 refused, 7 428 certificates, "
                       "for 90 s"));
}

}  // namespace
}  // namespace cmpost
