// The dispatcher is killed at its n-th durable step, for every n, and started again.
#include "base/log.h"
#include "outbox/directory_egress.h"
#include "outbox/dispatcher.h"
#include "queue/spool.h"
#include "tests/support/crash_child.h"
#include "tests/support/directory_tools.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {
namespace {

using ::testing::SizeIs;

constexpr int kAnswers = 3;  // the last two have one name

void send_once(const std::string& directory) {
  log::configure({.level = log::Level::error});
  const SystemClock clock;
  SystemRandom random;
  const auto spool = open_spool({"sqlite:spool.db", directory}, clock).value();
  ChannelSettings settings;
  settings.name = "drop";
  settings.directory.out = directory + "/out";
  DirectoryEgress egress(settings);
  Dispatcher dispatcher(spool->replies(), {&egress}, clock, random);
  ASSERT_THAT(send_all(dispatcher, {}), IsOk());
}

TEST(DirectoryEgressCrash, DISABLED_Sends) { send_once(crash_directory()); }

void fill(const std::string& directory) {
  std::filesystem::create_directory(directory + "/out");
  const SystemClock clock;
  std::vector<Job> jobs;
  for (int i = 0; i < kAnswers; ++i) {
    Job job;
    job.id.octets[0] = static_cast<std::uint8_t>(i + 1);
    job.envelope.reply.channel = "drop";
    job.envelope.reply.name = "dev" + std::to_string(std::min(i, 1));
    job.envelope.body = "ip";
    job.payload = to_bytes("answer " + std::to_string(i));
    jobs.push_back(job);
  }
  const auto spool = open_spool({"sqlite:spool.db", directory}, clock).value();
  ASSERT_THAT(spool->replies().put(jobs), IsOk());
}

// Every answer lies there once and whole, nothing else does, and every job is done.
void expect_all_sent_once(const std::string& directory) {
  std::multiset<std::string> answers;
  for (const auto& name : names_in(directory + "/out")) {
    EXPECT_FALSE(name.starts_with(".")) << name;
    answers.insert(contents_of(directory + "/out/" + name));
  }
  EXPECT_EQ(answers, (std::multiset<std::string>{"answer 0", "answer 1", "answer 2"}));
  const SystemClock clock;
  const auto spool = open_spool({"sqlite:spool.db", directory}, clock).value();
  EXPECT_EQ(spool->replies().counts()->done, static_cast<std::size_t>(kAnswers));
}

TEST(DirectoryEgressCrash, WhereverItDiesEachAnswerIsSentOnce) {
  int steps = 0;
  for (bool crashed = true; crashed && !::testing::Test::HasFailure(); ++steps) {
    SCOPED_TRACE("killed at step " + std::to_string(steps + 1));
    const TemporaryDirectory directory;
    fill(directory.path());
    crashed = crashes_at("DirectoryEgressCrash.DISABLED_Sends", directory.path(), steps + 1);
    send_once(directory.path());
    expect_all_sent_once(directory.path());
  }
  EXPECT_GT(steps, kAnswers + 4);  // written, synced, each rename, the directory, finished
}

}  // namespace
}  // namespace cmpost
