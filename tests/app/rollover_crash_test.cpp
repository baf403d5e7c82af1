// `cmpost ca rollover` is killed at its n-th durable step, for every n, and run again.
#include "app/rollover_state.h"
#include "base/log.h"
#include "tests/app/instance_under_test.h"
#include "tests/support/crash_child.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string next_ca(const std::string& directory) { return directory + "/ca/next"; }

ExitCode roll_over(const std::string& directory) {
  const auto settings = directory + "/cmpost.toml", next = next_ca(directory);
  const char* const words[] = {"cmpost",   "--quiet", "--config", settings.c_str(), "ca",
                               "rollover", "--years", "11",       "--directory",    next.c_str()};
  const auto code = run_program(10, words);
  log::configure({.level = log::Level::error});
  return code;
}

TEST(RolloverCrash, DISABLED_RollsOver) { EXPECT_EQ(roll_over(crash_directory()), ExitCode::ok); }

void expect_rolled_over_once(const std::string& directory) {
  const SystemClock clock;
  const auto instance = open_instance(directory, clock);
  for (const auto* file : {"ca.key", "ca.pem", "cmp.key", "cmp.pem", "rollover.pem"}) {
    EXPECT_TRUE(exists(next_ca(directory) + "/" + file)) << file;
  }
  EXPECT_FALSE(exists(hidden_rollover_name(next_ca(directory))));
  const auto reader = instance->look_into_ledger().value();
  const auto pem = read_file(next_ca(directory) + "/cmp.pem", 1 << 20).value();
  const auto cmp = Certificate::from_pem(text_of(pem)).value().front();
  EXPECT_TRUE(reader->find(cmp.serial_number()).value());
  std::size_t told = 0;
  const auto audit = reader->audit(0, 1000).value();
  for (const auto& entry : audit) told += entry.event == "ca.rollover";
  EXPECT_EQ(told, 1U);
  EXPECT_THAT(find_unfinished_rollovers(*instance).value(), IsEmpty());
}

TEST(RolloverCrash, WhereverItDiesRunningItAgainCompletesIt) {
  const TemporaryDirectory place;
  make_instance(place / "fresh");
  int steps = 0;
  for (bool crashed = true; crashed && !::testing::Test::HasFailure(); ++steps) {
    SCOPED_TRACE("killed at step " + std::to_string(steps + 1));
    const auto directory = place / ("at" + std::to_string(steps));
    std::filesystem::copy(place / "fresh", directory, std::filesystem::copy_options::recursive);
    crashed = crashes_at("RolloverCrash.DISABLED_RollsOver", directory, steps + 1);
    const bool complete = exists(next_ca(directory));
    EXPECT_EQ(roll_over(directory), complete ? ExitCode::failed : ExitCode::ok);
    expect_rolled_over_once(directory);
  }
  EXPECT_GE(steps, 5);
}

TEST(Rollover, WhatTheLedgerDoesNotKnowIsNamedAndEntered) {
  const TemporaryDirectory place;
  make_instance(place / "a");
  std::filesystem::copy(place / "a", place / "b", std::filesystem::copy_options::recursive);
  ASSERT_EQ(roll_over(place / "a"), ExitCode::ok);
  // As a program of before left it: the files alone, and they are used.
  std::filesystem::copy(next_ca(place / "a"), next_ca(place / "b"));
  const auto settings = place / "b" + "/cmpost.toml";
  std::string text(text_of(read_file(settings, 1 << 20).value()));
  for (const std::string name : {"ca.pem", "ca.key", "cmp.pem", "cmp.key"}) {
    const auto at = text.find("\"ca/" + name + "\"");
    ASSERT_NE(at, std::string::npos) << name;
    text.replace(at, name.size() + 5, "\"ca/next/" + name + "\"");
  }
  std::ofstream(settings) << text;
  const SystemClock clock;
  {
    const auto instance = open_instance(place / "b", clock);
    EXPECT_THAT(find_unfinished_rollovers(*instance).value(),
                ::testing::ElementsAre(HasSubstr("does not know the CMP certificate")));
  }
  EXPECT_EQ(roll_over(place / "b"), ExitCode::ok);
  const auto instance = open_instance(place / "b", clock);
  EXPECT_THAT(find_unfinished_rollovers(*instance).value(), IsEmpty());
  EXPECT_EQ(roll_over(place / "b"), ExitCode::failed) << "is there already";
}

}  // namespace
}  // namespace cmpost
