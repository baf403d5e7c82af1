// The ingresses of listed files, numbered batches and media are killed at each of their durable
// steps and started again.
#include <unistd.h>

#include "base/log.h"
#include "carrier/batch_sender.h"
#include "queue/spool.h"
#include "tests/support/as_nobody.h"
#include "tests/support/crash_child.h"
#include "tests/support/directory_tools.h"
#include "tests/support/fake_random.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"
#include "watcher/media/media_ingress.h"
#include "watcher/media/one_way_ingress.h"

namespace cmpost {
namespace {

using ::testing::SizeIs;

constexpr int kRequests = 2;

std::string small_request(int number) {
  return {'\x30', '\x03', '\x02', '\x01', static_cast<char>(number)};
}

ChannelSettings channel_below(const std::string& directory) {
  ChannelSettings settings;
  settings.name = "drop";
  settings.state = directory + "/state";
  settings.directory()->in = directory + "/in";
  settings.directory()->settle = Duration::zero();
  return settings;
}

template <typename Look>
void with_spool(const std::string& directory, const Look& look) {
  log::configure({.level = log::Level::error});
  const SystemClock wall;
  const SteadyClock steady;
  SystemRandom random;
  const auto spool = open_spool({"sqlite:spool.db", directory}, wall).value();
  look(spool->requests(), wall, steady, random);
}

void look_at_list(const std::string& directory) {
  with_spool(directory, [&](JobQueue& requests, const Clock& wall, const Clock& steady, Random&) {
    auto settings = channel_below(directory);
    settings.directory()->ready = ReadyRule::manifest;
    DirectoryIngress ingress(settings, requests, wall, steady);
    ASSERT_THAT(ingress.poll({}), IsOk());
  });
}
// By an account that may not set the times of another one's files.
void look_at_list_as_nobody(const std::string& directory) {
  std::filesystem::create_directory(directory + "/nothing");
  const AsNobody nobody(directory + "/nothing");
  ASSERT_TRUE(nobody.ok());
  look_at_list(directory);
}
void look_at_batches(const std::string& directory) {
  with_spool(directory, [&](JobQueue& requests, const Clock& wall, const Clock& steady, Random&) {
    OneWayIngress ingress(channel_below(directory), requests, wall, steady);
    ASSERT_THAT(ingress.poll({}), IsOk());
  });
}
void look_at_medium(const std::string& directory) {
  with_spool(directory,
             [&](JobQueue& requests, const Clock& wall, const Clock& steady, Random& random) {
               auto settings = channel_below(directory);
               settings.directory()->media = true;
               MediaIngress ingress(settings, requests, wall, steady, random);
               ASSERT_THAT(ingress.poll({}), IsOk());
             });
}

TEST(ReadyRulesCrash, DISABLED_LooksAtList) { look_at_list(crash_directory()); }
TEST(ReadyRulesCrash, DISABLED_LooksAtListAsNobody) { look_at_list_as_nobody(crash_directory()); }
TEST(ReadyRulesCrash, DISABLED_LooksAtBatches) { look_at_batches(crash_directory()); }
TEST(ReadyRulesCrash, DISABLED_LooksAtMedium) { look_at_medium(crash_directory()); }

std::string listed_name(int number) { return "f" + std::to_string(number) + ".pki"; }
std::string list_line(int number) {
  return to_hex(sha256(view_of(small_request(number)))) + "  " + listed_name(number) + "\n";
}
void fill_list(const std::string& directory) {
  std::string list;
  for (int i = 0; i < kRequests; ++i) {
    write_in_place(directory + "/in/" + listed_name(i), small_request(i));
    list += list_line(i);
  }
  write_in_place(directory + "/in/all.manifest", list);
}
// The first request has come before, and `after` has happened to it; then it was put in again in a
// list with new ones.
template <typename After>
void fill_known_list(const std::string& directory, const After& after) {
  const auto in = directory + "/in/";
  write_in_place(in + listed_name(0), small_request(0));
  write_in_place(in + "first.manifest", list_line(0));
  look_at_list(directory);
  with_spool(directory, [&](JobQueue& requests, const Clock&, const Clock&, Random&) {
    const auto leases = requests.take(1).value();
    ASSERT_THAT(leases, SizeIs(1));
    after(requests, leases[0].job.id);
  });
  std::filesystem::rename(in + ".done/" + listed_name(0), in + "again");
  fill_list(directory);
  std::filesystem::rename(in + "again", in + listed_name(0));
}
void fill_list_with_held(const std::string& directory) {
  fill_known_list(directory, [](JobQueue& requests, const JobId& id) {
    ASSERT_THAT(requests.hold(id, "an operator has to look"), IsOk());
  });
}
void fill_list_with_answered(const std::string& directory) {
  fill_known_list(directory, [](JobQueue& requests, const JobId& id) {
    ASSERT_THAT(requests.finish({&id, 1}, "answered"), IsOk());
  });
  const auto file = directory + "/in/" + listed_name(0);
  { const AsNobody owner(directory); }
  ASSERT_EQ(::chown(file.c_str(), 0, 0), 0);
}
void fill_batches(const std::string& directory) {
  const SystemClock clock;
  SystemRandom random;
  BatchSender sender({.state = directory + "/sender", .out = directory + "/in", .staging = {}},
                     clock, random);
  for (int i = 0; i < kRequests; ++i) {
    const auto contents = small_request(i);
    const BatchItem item{std::to_string(i), "dev.pki", view_of(contents)};
    ASSERT_THAT(sender.add({&item, 1}), IsOk());
  }
  ASSERT_THAT(sender.emit(), IsOk());
}
void fill_medium(const std::string& directory) {
  for (int i = 0; i < kRequests; ++i) {
    write_in_place(directory + "/in/f" + std::to_string(i) + ".pki", small_request(i));
  }
}

// Every request is one job and nothing is left where it was put.
void expect_taken_once(const std::string& directory) {
  const SystemClock clock;
  const auto spool = open_spool({"sqlite:spool.db", directory}, clock).value();
  EXPECT_THAT(spool->requests().list({.state = {}, .channel = {}}).value(), SizeIs(kRequests));
  for (const auto& name : names_in(directory + "/in")) EXPECT_TRUE(name.starts_with('.')) << name;
  if (std::filesystem::exists(directory + "/in/.work")) {
    EXPECT_THAT(names_in(directory + "/in/.work"), SizeIs(0));
  }
}

// As the processor does, which may be faster than the watcher's next look.
void answer_all(const std::string& directory) {
  with_spool(directory, [](JobQueue& requests, const Clock&, const Clock&, Random&) {
    const auto leases = requests.take(100).value();
    for (const auto& lease : leases) {
      ASSERT_THAT(requests.finish({&lease.job.id, 1}, "answered"), IsOk());
    }
  });
}

struct CrashCase {
  const char* child;
  void (*fill)(const std::string&);
  void (*look)(const std::string&);
  int least_steps;
};

void kill_at_every_step(const CrashCase& test) {
  int steps = 0;
  for (bool crashed = true; crashed && !::testing::Test::HasFailure(); ++steps) {
    SCOPED_TRACE("killed at step " + std::to_string(steps + 1));
    const TemporaryDirectory directory;
    std::filesystem::create_directory(directory / "in");
    test.fill(directory.path());
    crashed = crashes_at(std::string("ReadyRulesCrash.") + test.child, directory.path(), steps + 1);
    answer_all(directory.path());
    test.look(directory.path());
    expect_taken_once(directory.path());
  }
  EXPECT_GE(steps, test.least_steps);
}

TEST(ReadyRulesCrash, WhereverItDiesAListIsTakenOnce) {
  // Deposit, claim, and each file.
  kill_at_every_step({"DISABLED_LooksAtList", fill_list, look_at_list, 2 + kRequests});
}
TEST(ReadyRulesCrash, WhereverItDiesWhatIsNewInAListWithAHeldRequestIsTaken) {
  kill_at_every_step({"DISABLED_LooksAtList", fill_list_with_held, look_at_list, 2 + kRequests});
}
TEST(ReadyRulesCrash, WhereverItDiesWhatIsNewInAListWithAnAnsweredRequestIsTaken) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs a file of somebody else";
  kill_at_every_step({"DISABLED_LooksAtListAsNobody", fill_list_with_answered,
                      look_at_list_as_nobody, 2 + kRequests});
}
TEST(ReadyRulesCrash, WhereverItDiesEachBatchIsTakenOnce) {
  // Of each batch: deposit, the note, and two files.
  kill_at_every_step({"DISABLED_LooksAtBatches", fill_batches, look_at_batches, 4 * kRequests});
}
TEST(ReadyRulesCrash, WhereverItDiesEachFileOfAMediumIsTakenOnce) {
  // Of each file: copied, published, let go; and the commit.
  kill_at_every_step({"DISABLED_LooksAtMedium", fill_medium, look_at_medium, 3 * kRequests + 1});
}

}  // namespace
}  // namespace cmpost
