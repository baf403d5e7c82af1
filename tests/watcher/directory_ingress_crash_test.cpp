// The ingress is killed at its n-th durable step, for every n, and started again.
#include "base/log.h"
#include "queue/spool.h"
#include "tests/support/crash_child.h"
#include "tests/support/directory_tools.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"
#include "watcher/directory_ingress.h"

namespace cmpost {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int kGood = 3;

// One look, as a process does that was just started.
void look_once(const std::string& directory) {
  log::configure({.level = log::Level::error});
  const SystemClock wall;
  const SteadyClock steady;
  const auto spool = open_spool({"sqlite:spool.db", directory}, wall).value();
  ChannelSettings settings;
  settings.name = "drop";
  settings.directory()->in = directory + "/in";
  settings.directory()->settle = Duration::zero();
  DirectoryIngress ingress(settings, spool->requests(), wall, steady);
  ASSERT_THAT(ingress.poll({}), IsOk());
}

TEST(DirectoryIngressCrash, DISABLED_Looks) { look_once(crash_directory()); }

void fill(const std::string& directory) {
  std::filesystem::create_directory(directory + "/in");
  for (int i = 0; i < kGood; ++i) {
    const char message[] = {'\x30', '\x03', '\x02', '\x01', static_cast<char>(i)};
    write_and_rename(directory + "/in", "good" + std::to_string(i) + ".pki",
                     {message, sizeof message});
  }
  write_and_rename(directory + "/in", "bad.pki", "no message");
}

// Every request is one job, the bad file is one held job, and each file lies where it belongs.
void expect_all_taken_once(const std::string& directory) {
  const SystemClock clock;
  const auto spool = open_spool({"sqlite:spool.db", directory}, clock).value();
  const auto jobs = spool->requests().list({.state = {}, .channel = {}}).value();
  ASSERT_THAT(jobs, SizeIs(kGood + 1));
  std::set<std::string> sources;
  for (const auto& job : jobs) {
    sources.insert(job.envelope.source);
    const bool bad = job.envelope.source == "bad.pki";
    EXPECT_EQ(job.state, bad ? JobState::held : JobState::waiting);
    EXPECT_EQ(job.size, bad ? 0U : 5U);
  }
  EXPECT_THAT(sources, SizeIs(kGood + 1));
  EXPECT_EQ(names_in(directory + "/in"), (std::set<std::string>{".done", ".quarantine", ".work"}));
  EXPECT_THAT(names_in(directory + "/in/.work"), IsEmpty());
  EXPECT_THAT(names_in(directory + "/in/.done"), SizeIs(kGood));
  EXPECT_TRUE(names_in(directory + "/in/.quarantine").contains("bad.pki"));
}

TEST(DirectoryIngressCrash, WhereverItDiesEachFileIsTakenOnce) {
  int steps = 0;
  for (bool crashed = true; crashed && !::testing::Test::HasFailure(); ++steps) {
    SCOPED_TRACE("killed at step " + std::to_string(steps + 1));
    const TemporaryDirectory directory;
    fill(directory.path());
    crashed = crashes_at("DirectoryIngressCrash.DISABLED_Looks", directory.path(), steps + 1);
    look_once(directory.path());
    expect_all_taken_once(directory.path());
  }
  EXPECT_GT(steps,
            2 * kGood + 3);  // each claim and each move to .done, the deposit, the quarantine
}

}  // namespace
}  // namespace cmpost
