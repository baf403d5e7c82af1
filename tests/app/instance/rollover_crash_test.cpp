// `cmpost ca rollover` and `ca credential` are killed at their n-th durable step, for every n, and
// run again.
#include "app/instance/new_directory.h"
#include "app/instance/rollover_state.h"
#include "base/log.h"
#include "tests/app/instance_under_test.h"
#include "tests/app/said.h"
#include "tests/support/crash_child.h"

namespace cmpost {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

using Words = std::vector<std::string>;

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
  EXPECT_FALSE(exists(hidden_name(next_ca(directory))));
  const auto reader = instance->look_into_ledger().value();
  const auto pem = read_file(next_ca(directory) + "/cmp.pem", 1 << 20).value();
  const auto cmp = Certificate::from_pem(text_of(pem)).value().front();
  EXPECT_TRUE(reader->find(cmp.serial_number()).value());
  std::size_t told = 0;
  const auto audit = reader->audit(0, 1000).value();
  for (const auto& entry : audit) told += entry.event == "ca.rollover";
  EXPECT_EQ(told, 1U);
  EXPECT_THAT(find_unfinished_commands(*instance).value(), IsEmpty());
}

TEST(RolloverCrash, WhereverItDiesRunningItAgainCompletesIt) {
  const TemporaryDirectory place;
  make_instance(place / "fresh");
  const auto look = [](const std::string& directory, bool) {
    const bool complete = exists(next_ca(directory));
    EXPECT_EQ(roll_over(directory), complete ? ExitCode::failed : ExitCode::ok);
    expect_rolled_over_once(directory);
  };
  const int steps =
      killed_at_each_step("RolloverCrash.DISABLED_RollsOver", copies_of(place / "fresh"), look);
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
    EXPECT_THAT(find_unfinished_commands(*instance).value(),
                ElementsAre(HasSubstr("does not know the CMP certificate")));
  }
  EXPECT_EQ(roll_over(place / "b"), ExitCode::ok);
  const auto instance = open_instance(place / "b", clock);
  EXPECT_THAT(find_unfinished_commands(*instance).value(), IsEmpty());
  EXPECT_EQ(roll_over(place / "b"), ExitCode::failed) << "is there already";
}

// Killed when the ledger knows of it, and it has no name yet.
void interrupt(const std::string& directory) {
  for (int step = 1; step < 100; ++step) {
    if (!crashes_at("RolloverCrash.DISABLED_RollsOver", directory, step)) break;
    const SystemClock clock;
    const auto instance = open_instance(directory, clock);
    const auto found = find_interrupted_rollover(*instance, next_ca(directory));
    if (found && *found && (*found)->in_ledger && !(*found)->named) return;
  }
  ADD_FAILURE() << "there is no such step";
}

// What is a directory can be read by nobody, not even by root.
void make_unreadable(const std::string& file) {
  std::filesystem::rename(file, file + ".aside");
  std::filesystem::create_directory(file);
}
void make_readable(const std::string& file) {
  std::filesystem::remove(file);
  std::filesystem::rename(file + ".aside", file);
}

TEST(RolloverInterrupted, WhatCannotBeReadIsNotRemoved) {
  const TemporaryDirectory place;
  make_instance(place / "a");
  interrupt(place / "a");
  const auto hidden = hidden_name(next_ca(place / "a"));
  for (const std::string name : {"cmp.pem", "rollover.pem"}) {
    make_unreadable(hidden + "/" + name);
    EXPECT_EQ(roll_over(place / "a"), ExitCode::failed) << name;
    EXPECT_TRUE(exists(hidden + "/ca.key")) << name;
    EXPECT_TRUE(exists(hidden + "/cmp.key")) << name;
    make_readable(hidden + "/" + name);
  }
  // Without a file of its own it cannot be completed, and is on the books all the same.
  for (const std::string name : {"rollover.pem", "cmp.key"}) {
    std::filesystem::rename(hidden + "/" + name, hidden + "/aside");
    EXPECT_EQ(roll_over(place / "a"), ExitCode::failed) << name;
    EXPECT_TRUE(exists(hidden + "/ca.key")) << name;
    std::filesystem::rename(hidden + "/aside", hidden + "/" + name);
  }
  EXPECT_EQ(roll_over(place / "a"), ExitCode::ok);
  expect_rolled_over_once(place / "a");
}

TEST(RolloverInterrupted, AnotherCommandWithTheSameDirectoryRemovesNothing) {
  const TemporaryDirectory place;
  make_instance(place / "a");
  interrupt(place / "a");
  const auto hidden = hidden_name(next_ca(place / "a"));
  for (const char* kind : {"cmp", "kga", "protocol"}) {
    const auto said =
        say(place / "a", {"ca", "credential", kind, "--directory", next_ca(place / "a")});
    EXPECT_EQ(said.code, ExitCode::failed) << kind;
    EXPECT_THAT(said.err, HasSubstr("on the books already")) << kind;
    EXPECT_TRUE(exists(hidden + "/ca.key")) << kind;
  }
}

// What `check` says of commands that were interrupted.
std::vector<std::string> interrupted_in(const std::string& directory) {
  std::vector<std::string> texts;
  for (const auto& remark : remarks_of(say(directory, {"check", "--json"}), "credential")) {
    const std::string text = remark.at("text");
    if (text.find("was interrupted") != std::string::npos) texts.push_back(text);
  }
  return texts;
}

TEST(RolloverInterrupted, IsNamedByCheckWhateverItsDirectoryIsCalled) {
  const TemporaryDirectory place;
  make_instance(place / "a");
  interrupt(place / "a");
  const auto command = "`cmpost ca rollover --directory " + next_ca(place / "a") + "` completes it";
  EXPECT_THAT(interrupted_in(place / "a"), ElementsAre(HasSubstr(command)));
  // Without a file of its own no command completes it, and its keys lie there all the same.
  const auto hidden = hidden_name(next_ca(place / "a"));
  std::filesystem::remove(hidden + "/rollover.pem");
  EXPECT_THAT(interrupted_in(place / "a"),
              ElementsAre(AllOf(HasSubstr(hidden), Not(HasSubstr("completes")))));
}

TEST(RolloverInterrupted, IsCompletedInJsonToo) {
  const TemporaryDirectory place;
  make_instance(place / "a");
  interrupt(place / "a");
  const auto said =
      say(place / "a", {"--json", "ca", "rollover", "--directory", next_ca(place / "a")});
  EXPECT_EQ(said.code, ExitCode::ok) << said.err;
  EXPECT_EQ(said.json().at("went_on"), true);
  EXPECT_EQ(said.json().at("settings").at("key"), next_ca(place / "a") + "/ca.key");
}

ExitCode make_credential(const std::string& directory) {
  return say(directory,
             {"ca", "credential", "kga", "--key", "ec:P-256", "--directory", next_ca(directory)})
      .code;
}

TEST(CredentialCrash, DISABLED_IsMade) {
  EXPECT_EQ(make_credential(crash_directory()), ExitCode::ok);
}

nlohmann::json entries(const std::string& directory) {
  return say(directory, {"--json", "audit", "show", "--event", "ca.credential"}).json();
}

void expect_named_by_check(const std::string& directory, bool interrupted) {
  const auto named = interrupted_in(directory);
  if (!interrupted) {
    EXPECT_THAT(named, IsEmpty());
    return;
  }
  EXPECT_THAT(named, ElementsAre(HasSubstr("`cmpost ca credential kga --directory " +
                                           next_ca(directory) + "` completes it")));
}

TEST(CredentialCrash, WhereverItDiesItIsEnteredOnceAndNoReadErrorRemovesIt) {
  const TemporaryDirectory place;
  make_instance(place / "fresh");
  const auto look = [](const std::string& directory, bool crashed) {
    const auto next = next_ca(directory), hidden = hidden_name(next);
    if (exists(hidden + "/kga.pem")) {
      make_unreadable(hidden + "/kga.pem");
      EXPECT_EQ(make_credential(directory), ExitCode::failed);
      EXPECT_TRUE(exists(hidden + "/kga.key"));
      make_readable(hidden + "/kga.pem");
    }
    const bool complete = exists(next);
    expect_named_by_check(directory, crashed && !complete && !entries(directory).empty());
    EXPECT_EQ(make_credential(directory), complete ? ExitCode::failed : ExitCode::ok);
    EXPECT_TRUE(exists(next + "/kga.key"));
    EXPECT_FALSE(exists(hidden));
    EXPECT_THAT(entries(directory), SizeIs(1));
    expect_named_by_check(directory, false);
  };
  const int steps =
      killed_at_each_step("CredentialCrash.DISABLED_IsMade", copies_of(place / "fresh"), look);
  EXPECT_GE(steps, 5);
}

// The key has its password from the command that was interrupted.
TEST(Credential, OneThatIsCompletedNamesThePasswordThatItsKeyHas) {
  const TemporaryDirectory place;
  make_instance(place / "a");
  for (const std::string file : {"right", "wrong"}) {
    ASSERT_THAT(write_file(place / file, view_of(file + "\n"), 0600, IfExists::fail), IsOk());
  }
  const auto next = next_ca(place / "a");
  const auto make = [&](const std::string& file) {
    Words words = {"ca", "credential", "kga", "--key", "ec:P-256", "--directory", next};
    if (!file.empty()) words.insert(words.end(), {"--key-password-file", place / file});
    const auto said = say(place / "a", words);
    EXPECT_EQ(said.code, ExitCode::ok) << said.err;
    return said.out;
  };
  const auto named = "kga_key_password_file = \"" + (place / "right") + "\"";
  EXPECT_THAT(make("right"), HasSubstr(named));
  for (const std::string file : {"", "wrong", "right"}) {
    std::filesystem::rename(next, hidden_name(next));
    const auto out = make(file);
    EXPECT_THAT(out, HasSubstr("What was interrupted before"));
    EXPECT_THAT(out, HasSubstr(file == "right" ? named : "kga_key_password_file = \"THE FILE"));
  }
}

TEST(Rollover, OneThatIsCompletedNamesThePasswordThatItsKeyHas) {
  const TemporaryDirectory place;
  make_instance(place / "a");
  ASSERT_THAT(write_file(place / "right", view_of("right\n"), 0600, IfExists::fail), IsOk());
  const auto next = next_ca(place / "a");
  Words words = {"--json", "ca", "rollover", "--directory", next};
  auto with_password = words;
  with_password.insert(with_password.end(), {"--ca-key-password-file", place / "right"});
  const auto setting = [&](const Words& asked) {
    const auto said = say(place / "a", asked);
    EXPECT_EQ(said.code, ExitCode::ok) << said.err;
    return said.json().at("settings").at("key_password_file");
  };
  EXPECT_EQ(setting(with_password), place / "right");
  std::filesystem::rename(next, hidden_name(next));
  EXPECT_EQ(setting(words), nullptr);
  std::filesystem::rename(next, hidden_name(next));
  EXPECT_EQ(setting(with_password), place / "right");
}

// The ledger took no commit: what was made for it goes with it, what was there stays.
TEST(Credential, AFailureRemovesWhatWasMadeAndNothingElse) {
  const TemporaryDirectory place;
  make_instance(place / "a");
  const auto hidden = hidden_name(next_ca(place / "a"));
  std::filesystem::rename(place / "a/ledger.db", place / "a/aside.db");
  EXPECT_EQ(make_credential(place / "a"), ExitCode::failed);
  EXPECT_FALSE(exists(hidden));
  std::filesystem::create_directories(hidden);
  std::filesystem::copy(place / "a/ca/cmp.pem", hidden + "/kga.pem");
  std::filesystem::copy(place / "a/ca/cmp.key", hidden + "/kga.key");
  EXPECT_EQ(make_credential(place / "a"), ExitCode::failed) << "nobody knows whether it is known";
  EXPECT_TRUE(exists(hidden + "/kga.key"));
}

}  // namespace
}  // namespace cmpost
