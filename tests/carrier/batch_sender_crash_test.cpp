// The sender of numbered batches is killed at its n-th durable step, for every n, and started
// again.
#include "base/log.h"
#include "carrier/batch_assembly.h"
#include "carrier/batch_sender.h"
#include "tests/support/crash_child.h"
#include "tests/support/directory_tools.h"
#include "tests/support/fake_random.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {
namespace {

constexpr int kBatches = 2;

// Sends what an earlier life has not, as an Egress does: by the ids of what has a number.
void send_rest(const std::string& directory) {
  const SystemClock clock;
  SystemRandom random;
  BatchSender sender(
      {.state = directory + "/state", .out = directory + "/out", .staging = {}, .copies = 2}, clock,
      random);
  const auto known = sender.known(Time{}).value().batches;
  for (int i = 1; i <= kBatches; ++i) {
    const auto id = std::to_string(i);
    if (known.contains(id)) continue;
    const BatchItem item{id, "dev.pki", view_of(id)};
    ASSERT_THAT(sender.add({&item, 1}), IsOk());
    ASSERT_THAT(sender.emit(), IsOk());
  }
  ASSERT_THAT(sender.emit(), IsOk());
}

TEST(BatchSenderCrash, DISABLED_Sends) { send_rest(crash_directory()); }

// Numbers 1 to kBatches, each once, each content once, one chain, two copies of each, and no more.
void expect_one_chain(const std::string& directory) {
  ArrivedBatches arrived;
  for (const auto& name : names_in(directory + "/out")) {
    const bool hidden = name.starts_with('.');
    EXPECT_TRUE(hidden || arrived.add(name)) << name;
  }
  const auto out = open_directory(directory + "/out").value();
  ASSERT_EQ(arrived.all().size(), static_cast<std::size_t>(kBatches));
  Sha256 previous{};
  std::uint64_t number = 0;
  std::set<std::string> contents;
  for (const auto& [key, batch] : arrived.all()) {
    const auto whole = assemble(out, batch).batch;
    ASSERT_TRUE(whole);
    EXPECT_EQ(whole->manifest.number, ++number);
    EXPECT_EQ(whole->manifest.previous, previous);
    EXPECT_EQ(batch.manifests.size(), 2U);
    previous = whole->hash;
    contents.insert(std::string(text_of(whole->contents.at(0))));
  }
  EXPECT_EQ(contents, (std::set<std::string>{"1", "2"}));
}

std::ptrdiff_t wishes_in(const std::string& directory) {
  return std::ranges::count_if(names_in(directory),
                               [](const auto& name) { return name[0] != '.'; });
}

TEST(BatchSenderCrash, WhereverItDiesNoNumberIsUsedTwiceOrLeftOut) {
  int steps = 0;
  for (bool crashed = true; crashed && !::testing::Test::HasFailure(); ++steps) {
    SCOPED_TRACE("killed at step " + std::to_string(steps + 1));
    const TemporaryDirectory directory;
    std::filesystem::create_directory(directory / "out");
    crashed = crashes_at("BatchSenderCrash.DISABLED_Sends", directory.path(), steps + 1);
    send_rest(directory.path());
    expect_one_chain(directory.path());
    EXPECT_EQ(wishes_in(directory / "state/due"), 0) << "all is written";
    EXPECT_EQ(wishes_in(directory / "state/copies"), kBatches);
  }
  // Of each batch: the wish, the number, and of each copy files, manifest and the note of it.
  EXPECT_GT(steps, kBatches * 9);
}

// Something has left of which this memory knows nothing: it is an old one.
void send_with_an_old_memory(const std::string& directory) {
  const SystemClock clock;
  SystemRandom random;
  BatchSender sender({.state = directory + "/state", .out = directory + "/out", .staging = {}},
                     clock, random);
  ASSERT_THAT(sender.begin_anew_if_behind("left", clock.now() + std::chrono::hours(1)), IsOk());
  if (sender.known(Time{}).value().batches.contains("new")) return;
  const BatchItem item{"new", "dev.pki", view_of("new")};
  ASSERT_THAT(sender.add({&item, 1}), IsOk());
  ASSERT_THAT(sender.emit(), IsOk());
}

TEST(BatchSenderCrash, DISABLED_BeginsAnew) { send_with_an_old_memory(crash_directory()); }

TEST(BatchSenderCrash, ANewStreamBeginsWithOneWhereverItsBeginningIsCutOff) {
  for (const auto* step : {"batch.put_aside:1", "batch.wanted:1", "file.written:1"}) {
    SCOPED_TRACE(step);
    const TemporaryDirectory directory;
    std::filesystem::create_directory(directory / "out");
    send_rest(directory.path());
    std::set<std::string> old;
    for (const auto& name : names_in(directory / "out")) old.insert(name);
    const auto stream = BatchName::parse(*old.begin())->stream;
    EXPECT_TRUE(crashes_at("BatchSenderCrash.DISABLED_BeginsAnew", directory.path(), step));
    EXPECT_TRUE(std::filesystem::exists(directory / ("state/batches-" + stream)));
    send_with_an_old_memory(directory.path());
    std::set<std::string> streams;
    for (const auto& name : names_in(directory / "out")) {
      const auto parsed = BatchName::parse(name);
      if (old.contains(name)) continue;
      EXPECT_EQ(parsed->number, 1U);
      EXPECT_NE(parsed->stream, stream);
      streams.insert(parsed->stream);
    }
    EXPECT_EQ(streams.size(), 1U);
  }
}

}  // namespace
}  // namespace cmpost
