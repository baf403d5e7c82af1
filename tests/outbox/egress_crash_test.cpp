// The dispatcher is killed at its n-th durable step, for every n and every way out, and started
// again.
#include "base/log.h"
#include "carrier/batch_assembly.h"
#include "outbox/dispatcher.h"
#include "outbox/media_egress.h"
#include "outbox/one_way_egress.h"
#include "queue/spool.h"
#include "tests/support/crash_child.h"
#include "tests/support/directory_tools.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {
namespace {

using Answers = std::multiset<std::string>;

constexpr int kAnswers = 3;  // the last two have one name
const std::string kMedium(32, '1');

ChannelSettings drop_settings(const std::string& directory) {
  ChannelSettings settings;
  settings.name = "drop";
  settings.state = directory + "/state";
  settings.directory()->in = directory + "/in";
  settings.directory()->out = directory + "/out";
  settings.directory()->copies = 2;
  return settings;
}

// What one process does that was just started.
template <typename MakeEgress>
void send_by(const std::string& directory, const MakeEgress& make) {
  log::configure({.level = log::Level::error});
  const SystemClock clock;
  SystemRandom random;
  const auto spool = open_spool({"sqlite:spool.db", directory}, clock).value();
  WayBook ways(directory + "/state", clock);
  const std::unique_ptr<Egress> egress = make(spool->replies(), clock, random);
  Dispatcher dispatcher(spool->replies(), {egress.get()}, clock, clock, random, ways);
  ASSERT_THAT(send_all(dispatcher, {}), IsOk());
}
void send_by_directory(const std::string& directory) {
  send_by(directory, [&](JobQueue& replies, const Clock&, Random&) {
    return std::make_unique<DirectoryEgress>(drop_settings(directory), under_way_in(replies));
  });
}
void send_by_medium(const std::string& directory) {
  send_by(directory, [&](JobQueue& replies, const Clock&, Random&) {
    return std::make_unique<MediaEgress>(drop_settings(directory), under_way_in(replies));
  });
}
void send_one_way(const std::string& directory) {
  send_by(directory, [&](JobQueue& replies, const Clock& clock, Random& random) {
    return std::make_unique<OneWayEgress>(drop_settings(directory), replies, clock, random);
  });
}

TEST(EgressCrash, DISABLED_SendsByDirectory) { send_by_directory(crash_directory()); }
TEST(EgressCrash, DISABLED_SendsByMedium) { send_by_medium(crash_directory()); }
TEST(EgressCrash, DISABLED_SendsOneWay) { send_one_way(crash_directory()); }

void fill(const std::string& directory) {
  std::filesystem::create_directory(directory + "/out");
  std::filesystem::create_directory(directory + "/in");
  write_in_place(directory + "/in/.cmpost-medium", kMedium + "\n");
  const SystemClock clock;
  std::vector<Job> jobs;
  for (int i = 0; i < kAnswers; ++i) {
    Job job;
    job.id.octets[0] = static_cast<std::uint8_t>(i + 1);
    job.envelope.reply = {"drop", kMedium, "dev" + std::to_string(std::min(i, 1)), "", ""};
    job.envelope.body = "ip";
    job.payload = to_bytes("answer " + std::to_string(i));
    jobs.push_back(job);
  }
  const auto spool = open_spool({"sqlite:spool.db", directory}, clock).value();
  ASSERT_THAT(spool->replies().put(jobs), IsOk());
}

// What a reader of files finds: nothing hidden.
Answers files_in(const std::string& out) {
  Answers answers;
  for (const auto& name : names_in(out)) {
    EXPECT_FALSE(name.starts_with(".")) << name;
    answers.insert(contents_of(out + "/" + name));
  }
  return answers;
}

// What a receiver of batches finds: their numbers have no gap, and each copy is whole.
Answers batches_in(const std::string& out) {
  ArrivedBatches arrived;
  for (const auto& name : names_in(out)) {
    EXPECT_FALSE(name.starts_with(".")) << name;
    arrived.add(name);
  }
  const auto directory = open_directory(out).value();
  Answers answers;
  std::uint64_t last = 0;
  for (const auto& [key, batch] : arrived.all()) {
    const auto assembled = assemble(directory, batch).batch.value();
    EXPECT_EQ(assembled.manifest.number, ++last);
    for (const auto& contents : assembled.contents) answers.emplace(text_of(contents));
  }
  return answers;
}

struct WayOut {
  const char* child;
  void (*send)(const std::string& directory);
  Answers (*received)(const std::string& out);
};

// Each answer lies there once and whole, and every job is done.
int killed_on(const WayOut& way) {
  const auto look = [&](const std::string& directory, bool) {
    way.send(directory);
    EXPECT_EQ(way.received(directory + "/out"), (Answers{"answer 0", "answer 1", "answer 2"}));
    const SystemClock clock;
    const auto spool = open_spool({"sqlite:spool.db", directory}, clock).value();
    EXPECT_EQ(spool->replies().counts()->done, static_cast<std::size_t>(kAnswers));
  };
  return killed_at_each_step(std::string("EgressCrash.") + way.child, fill, look);
}

TEST(EgressCrash, WhereverItDiesEachAnswerIsInTheDirectoryOnce) {
  const int steps = killed_on({"DISABLED_SendsByDirectory", send_by_directory, files_in});
  EXPECT_GT(steps, kAnswers + 4);  // written, synced, each rename, the directory, finished
}

TEST(EgressCrash, WhereverItDiesEachAnswerIsOnTheMediumOnce) {
  const int steps = killed_on({"DISABLED_SendsByMedium", send_by_medium, files_in});
  EXPECT_GT(steps, kAnswers + 4);
}

TEST(EgressCrash, WhereverItDiesEachAnswerIsInOneBatchAndNoNumberIsMissing) {
  const int steps = killed_on({"DISABLED_SendsOneWay", send_one_way, batches_in});
  EXPECT_GT(steps, 8);  // the batch, its number, each copy's files and manifest, finished
}

}  // namespace
}  // namespace cmpost
