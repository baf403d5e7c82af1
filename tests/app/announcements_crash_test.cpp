// Announcing is killed at its n-th durable step, for every n, and done again.
#include "app/announcements.h"
#include "base/log.h"
#include "tests/app/instance_under_test.h"
#include "tests/support/crash_child.h"

namespace cmpost {
namespace {

using ::testing::SizeIs;

void maintain_once(const std::string& directory) {
  const SystemClock clock;
  const auto instance = open_instance(directory, clock);
  log::configure({.level = log::Level::error});
  ASSERT_THAT(maintain(*instance), IsOk());
}

TEST(AnnouncementsCrash, DISABLED_Announces) { maintain_once(crash_directory()); }

void expect_announced_once(const std::string& directory) {
  const SystemClock clock;
  const auto instance = open_instance(directory, clock);
  const auto jobs = (*instance->spool())->replies().list({.state = {}, .channel = {}}).value();
  ASSERT_THAT(jobs, SizeIs(1));
  EXPECT_EQ(jobs[0].envelope.source, "announcement crl-1");
  const auto reader = (*instance->ledger())->reader().value();
  std::size_t told = 0;
  const auto audit = reader->audit(0, 1000).value();
  for (const auto& entry : audit) told += entry.event == "announcement.made";
  EXPECT_EQ(told, 1U);
}

TEST(AnnouncementsCrash, WhereverItDiesTheCrlIsAnnouncedOnce) {
  const TemporaryDirectory place;
  make_instance(place / "fresh");
  insert_settings(place / "fresh", "profiles = ", "announce = [\"crlann\"]\n");
  int steps = 0;
  for (bool crashed = true; crashed && !::testing::Test::HasFailure(); ++steps) {
    SCOPED_TRACE("killed at step " + std::to_string(steps + 1));
    const auto directory = place / ("at" + std::to_string(steps));
    std::filesystem::copy(place / "fresh", directory, std::filesystem::copy_options::recursive);
    crashed = crashes_at("AnnouncementsCrash.DISABLED_Announces", directory, steps + 1);
    maintain_once(directory);
    expect_announced_once(directory);
  }
  EXPECT_GE(steps, 5) << "before and after each of the two commits";
}

}  // namespace
}  // namespace cmpost
