// Announcing is killed at its n-th durable step, for every n, and done again.
#include "app/instance/announcements.h"
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
  const int steps =
      killed_at_each_step("AnnouncementsCrash.DISABLED_Announces", copies_of(place / "fresh"),
                          [](const std::string& directory, bool) {
                            maintain_once(directory);
                            expect_announced_once(directory);
                          });
  EXPECT_GE(steps, 5) << "before and after each of the two commits";
}

}  // namespace
}  // namespace cmpost
