// A value that no instance could take is a wrong command line, with every command: exit code 64.
#include <map>
#include <set>

#include "app/terminal/named.h"
#include "tests/app/instance_under_test.h"
#include "tests/app/said.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

using Words = std::vector<std::string>;

// Wrong for every command that has the option; "": whatever is written, it is no mistake of the
// command line (a name of the instance's, a file, free text).
const std::map<std::string, std::string> kWrong = {
    {"--after", "x"},
    {"--as", " "},
    {"--assets", ""},
    {"--at", "someday"},
    {"--batch", "xyz"},
    {"--ca-key-password-file", ""},
    {"--channel", ""},
    {"--comment", ""},
    {"--config", ""},
    {"--days", "0"},
    {"--digest", "0a"},
    {"--directory", ""},
    {"--event", ""},
    {"--every", "0"},
    {"--expect", "0"},
    {"--expires", "someday"},
    {"--expires-within", "soon"},
    {"--finding", "god"},
    {"--for", "mca"},
    {"--format", "pme"},
    {"--from", ""},
    {"--go-on", ""},
    {"--invalid-since", "someday"},
    {"--key", "rsa:17"},
    {"--key-password-file", ""},
    {"--limit", "-1"},
    {"--make-batch", ""},
    {"--manifest", ""},
    {"--matching", "subject"},
    {"--name", "a b"},
    {"--name-column", ""},
    {"--officer", ""},
    {"--offset", "-1"},
    {"--only", "refuse"},
    {"--out", ""},
    {"--planned", "soon"},
    {"--profile", ""},
    {"--profile-column", ""},
    {"--pvno", "4"},
    {"--queue", "request"},
    {"--reason", ""},
    {"--requester", ""},
    {"--role", "rra"},
    {"--rule", "no rule"},
    {"--sample", ""},
    {"--san", "DNX:x"},
    {"--secret-file", ""},
    {"--since", "someday"},
    {"--site", ""},
    {"--sort", "sise"},
    {"--source", ""},
    {"--stage", "ingres"},
    {"--state", "wating"},
    {"--subject", ""},
    {"--take", "missing"},
    {"--text", ""},
    {"--to", ""},
    {"--until", "someday"},
    {"--uses", "0"},
    {"--valid", "long"},
    {"--vendor", ""},
    {"--years", "0"},
    {"--yes", ""},
};
// Where a text is free with most commands, and not with these.
const std::map<std::string, std::string> kWrongHere = {
    {"cert revoke --reason", "keyCompromised"},
    {"secret add --subject", "CN"},
    {"approve --key", ""},
    {"reject --key", ""},
    {"init --subject", "=x"},
    {"init --ca", "of-no-use-to-a-ca.pem"},
    {"ca credential cmp --subject", "=x"},
    {"ca credential kga --subject", "=x"},
    {"ca credential protocol --subject", "=x"},
    {"ca credential mail --subject", "=x"},
    {"ca credential mail --address", "no address"},
    {"ra renew --by", "rr"},
    {"device list --batch", ""},
    {"device list --name", ""},
    {"device export --batch", ""},
    {"device export --name", ""},
    {"device letters --batch", ""},
    {"device retire --revoke", "stolen"},
};
// What a command wants beside.
const std::map<std::string, Words> kArguments = {
    {"announcement ca-key", {"--channel", "drop"}},
    {"announcement certificate", {"--channel", "drop", "0a"}},
    {"announcement crl", {"--channel", "drop"}},
    {"announcement revocation", {"--channel", "drop", "CMP"}},
    {"announcement show", {"1"}},
    {"approve", {}},
    {"batch confirmations", {"weekend"}},
    {"batch create", {"weekend", "--from", "DIR", "--channel", "drop"}},
    {"batch drop", {"weekend", "--reason", "why"}},
    {"batch retry", {"weekend"}},
    {"batch run", {"weekend"}},
    {"batch show", {"weekend"}},
    {"orphan keep", {"1", "--reason", "why"}},
    {"orphan revoke", {"1"}},
    {"orphan revoked", {"1"}},
    {"orphan show", {"1"}},
    {"ca credential mail", {"--address", "ca@grid.example"}},
    {"cert revoke", {"0a"}},
    {"cert show", {"0a"}},
    {"cert unrevoke", {"0a"}},
    {"channel test", {"drop"}},
    {"channel trust", {"drop"}},
    {"device import", {"FILE"}},
    {"device letters", {"dev1", "--to", "letters.html"}},
    {"device retire", {"dev1", "--reason", "sold"}},
    {"fleet diff", {"--assets", "FILE"}},
    {"init", {"DIR"}},
    {"inspect", {"FILE"}},
    {"profile test", {"device"}},
    {"report make", {"1"}},
    {"run", {"nightly"}},
    {"secret add", {"dev1"}},
    {"secret remove", {"dev1"}},
    {"secret unlock", {"dev1"}},
    {"verdict text", {"0a"}},
};

struct Command {
  std::string name;
  const CLI::App* app;
};

void collect(const CLI::App& app, const std::string& name, std::vector<Command>& all) {
  const auto below = app.get_subcommands([](const CLI::App*) { return true; });
  for (const auto* one : below) {
    collect(*one, (name.empty() ? "" : name + " ") + one->get_name(), all);
  }
  if (below.empty() || !app.get_require_subcommand_min()) all.push_back({name, &app});
}

std::string wrong_value(const std::string& command, const std::string& option) {
  const auto here = kWrongHere.find(command + " " + option);
  if (here != kWrongHere.end()) return here->second;
  const auto anywhere = kWrong.find(option);
  if (anywhere != kWrong.end()) return anywhere->second;
  ADD_FAILURE() << command << " " << option << " has no wrong value in this test";
  return {};
}

class UsageTest : public ::testing::Test {
 protected:
  UsageTest() {
    make_instance(directory_.path());
    build_command_line({app_, options_, action_});
    collect(app_, "", commands_);
  }
  Words words_of(const std::string& command) {
    std::istringstream text(command);
    return {std::istream_iterator<std::string>(text), {}};
  }

  TemporaryDirectory directory_;
  CLI::App app_;
  CommonOptions options_;
  Action action_;
  std::vector<Command> commands_;
};

TEST_F(UsageTest, WrongValuesOfEveryOptionOfEveryCommandEndWith64) {
  ASSERT_GT(commands_.size(), 40U);
  std::size_t tried = 0;
  for (const auto& [name, app] : commands_) {
    for (const auto* option : app->get_options()) {
      if (option->get_items_expected_max() == 0 || option->get_lnames().empty()) continue;
      const auto long_name = "--" + option->get_lnames().front();
      const auto wrong = wrong_value(name, long_name);
      if (wrong.empty()) continue;
      auto words = words_of(name);
      const auto more = kArguments.find(name);
      if (more != kArguments.end())
        words.insert(words.end(), more->second.begin(), more->second.end());
      for (auto& word : words) {
        if (word == "DIR") word = directory_ / "new";
      }
      words.push_back(long_name + "=" + wrong);
      const auto said = say(directory_.path(), words);
      EXPECT_EQ(said.code, ExitCode::usage) << name << " " << long_name << ": " << said.err;
      EXPECT_FALSE(said.err.empty()) << name << " " << long_name;
      ++tried;
    }
  }
  EXPECT_GT(tried, 80U);
  EXPECT_FALSE(exists(directory_ / "new"));
}

TEST_F(UsageTest, WrongArgumentsEndWith64) {
  const std::vector<Words> all = {
      {"approve"},
      {"approve", "xyz"},
      {"approve", "0a:x"},
      {"approve", "0a", "--batch", "0a", "--digest", std::string(64, 'a')},
      {"cert", "show", "xyz"},
      {"cert", "revoke", "xyz"},
      {"init", ""},
      {"queue", "show", "xyz"},
      {"queue", "drop", "xyz"},
      {"resend", "x"},
      {"skip", "1-"},
      {"transaction", "explain", ""},
      {"transaction", "show", ""},
      {"secret", "add", "r", "--expires", "2020-01-01"},
      {"status", "--as", ""}};
  for (const auto& words : all) {
    const auto said = say(directory_.path(), words);
    EXPECT_EQ(said.code, ExitCode::usage) << ::testing::PrintToString(words) << said.err;
  }
}

// What the instance alone can know is no mistake of the command line.
TEST_F(UsageTest, WhatTheInstanceDoesNotHaveEndsWith1) {
  const std::vector<Words> all = {{"cert", "show", "0a"},
                                  {"queue", "show", "0a"},
                                  {"approve", "0a"},
                                  {"approve", "--batch", "0a"},
                                  {"channel", "test", "drpo"},
                                  {"secret", "add", "r", "--channel", "drpo"},
                                  {"transaction", "explain", "0a"}};
  for (const auto& words : all) {
    const auto said = say(directory_.path(), words);
    EXPECT_EQ(said.code, ExitCode::failed) << ::testing::PrintToString(words) << said.err;
  }
}

TEST_F(UsageTest, MisspeltFilterValuesAreRefusedWithTheNearest) {
  const std::vector<std::pair<Words, std::string>> all = {
      {{"queue", "list", "--state", "wating"}, "waiting"},
      {{"queue", "list", "--queue", "reqests"}, "requests"},
      {{"transaction", "list", "--state", "opne"}, "open"},
      {{"cert", "list", "--state", "valdi"}, "valid"},
      {{"cert", "list", "--sort", "subjct"}, "subject"}};
  for (const auto& [words, near] : all) {
    const auto said = say(directory_.path(), words);
    EXPECT_EQ(said.code, ExitCode::usage);
    EXPECT_THAT(said.out + said.err, HasSubstr("did you mean '" + near + "'?"));
  }
}

TEST_F(UsageTest, KeysThatCannotSignAreNotOfferedToWhoSigns) {
  const auto place = directory_ / "other";
  const std::vector<Words> all = {{"init", place, "--key"},
                                  {"ca", "rollover", "--directory", place, "--key"},
                                  {"ca", "credential", "kga", "--directory", place, "--key"}};
  for (auto words : all) {
    for (const std::string key : {"foo", "x25519"}) {
      SCOPED_TRACE(::testing::PrintToString(words) + key);
      words.push_back(key);
      const auto said = say(directory_.path(), words);
      words.pop_back();
      EXPECT_EQ(said.code, ExitCode::usage);
      EXPECT_THAT(said.err, HasSubstr("ec:P-256"));
      EXPECT_THAT(said.err, Not(HasSubstr("x448")));
      EXPECT_FALSE(exists(place));
    }
  }
  EXPECT_THAT(say(directory_.path(), {"ca", "credential", "protocol", "--key", "foo"}).err,
              HasSubstr("x448"));
}

TEST_F(UsageTest, ErrorsAreJsonWhereJsonIsAskedFor) {
  const std::vector<Words> all = {{"transaction", "show", "0a"},
                                  {"channel", "test", "drpo"},
                                  {"queue", "retry", "0a0a"},
                                  {"cert", "shwo"},
                                  {"cert", "show"},
                                  {"cert", "list", "--limit", "many"},
                                  {"queue", "list", "--state", "wating"},
                                  {}};
  for (auto words : all) {
    const auto text = say(directory_.path(), words);
    words.emplace_back("--json");
    const auto said = say(directory_.path(), words);
    EXPECT_EQ(said.code, text.code);
    const auto told = nlohmann::json::parse(said.err, nullptr, false);
    ASSERT_TRUE(told.is_object()) << said.err;
    EXPECT_THAT(text.err, HasSubstr(told.at("error").get<std::string>()));
    EXPECT_THAT(text.err, HasSubstr(told.at("hint").get<std::string>()));
  }
}

TEST_F(UsageTest, MistakesInTheSettingsAreJsonWhereJsonIsAskedFor) {
  std::ofstream(directory_ / "cmpost.toml") << "[instance\n";
  const auto said = say(directory_.path(), {"--json", "transaction", "explain", "0a"});
  EXPECT_EQ(said.code, ExitCode::configuration);
  std::istringstream lines(said.err);
  std::vector<nlohmann::json> told;
  for (std::string line; std::getline(lines, line);) {
    told.push_back(nlohmann::json::parse(line, nullptr, false));
    ASSERT_TRUE(told.back().is_object()) << line;
  }
  ASSERT_THAT(told, ::testing::SizeIs(2));
  EXPECT_THAT(told[0].at("place").get<std::string>(), HasSubstr("cmpost.toml:1:"));
  EXPECT_EQ(told[1].at("error"), "the settings cannot be read");
}

// What is listed may be older than the settings.
TEST_F(UsageTest, UnknownNamesInFiltersAreWarnedOf) {
  for (const Words& words : {Words{"cert", "list", "--channel", "drpo"},
                             Words{"transaction", "list", "--channel", "drpo"},
                             Words{"queue", "list", "--channel", "drpo"}}) {
    const auto said = say(directory_.path(), words);
    EXPECT_EQ(said.code, ExitCode::ok);
    EXPECT_THAT(said.err, HasSubstr("did you mean 'drop'?")) << words.front();
  }
  EXPECT_THAT(say(directory_.path(), {"cert", "list", "--profile", "devise"}).err,
              HasSubstr("did you mean 'device'?"));
  EXPECT_THAT(say(directory_.path(), {"cert", "list", "--channel", "drop"}).err, IsEmpty());
  EXPECT_THAT(say(directory_.path(), {"audit", "show", "--event", "instance.mad"}).err,
              HasSubstr("did you mean 'instance.made'?"));
}

}  // namespace
}  // namespace cmpost
