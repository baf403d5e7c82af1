#include "app/terminal/named.h"

#include <gmock/gmock.h>

namespace cmpost {
namespace {

class UnknownWords : public ::testing::Test {
 protected:
  UnknownWords() : app_("", "cmpost") {
    app_.require_subcommand(1);
    app_.fallthrough();
    app_.add_flag("--json");
    app_.add_option("--config", config_);
    auto* secret = app_.add_subcommand("secret");
    secret->require_subcommand(1);
    auto* add = secret->add_subcommand("add");
    add->add_option("--secret-file", file_);
    add->add_option("REF", reference_);
    app_.add_subcommand("status");
  }
  std::string said(const std::vector<std::string>& words) const {
    const auto error = find_unknown_word(app_, words);
    return error ? to_string(*error) : "";
  }

  CLI::App app_;
  std::string config_, file_, reference_;
};

TEST_F(UnknownWords, AreNamedWithTheNearest) {
  EXPECT_EQ(said({"sceret", "add", "x"}),
            "`cmpost` has no command 'sceret' (did you mean 'secret'?)");
  EXPECT_EQ(said({"--config", "statsu", "statsu"}),
            "`cmpost` has no command 'statsu' (did you mean 'status'?)");
  EXPECT_EQ(said({"secret", "ad"}), "`cmpost secret` has no command 'ad' (did you mean 'add'?)");
  EXPECT_EQ(said({"status", "--jsn"}),
            "`cmpost status` has no option '--jsn' (did you mean '--json'?)");
  EXPECT_EQ(said({"secret", "add", "r", "--secret", "abc"}),
            "`cmpost secret add` has no option '--secret' (did you mean '--secret-file'?)");
  EXPECT_EQ(said({"secret", "add", "--secret-fiel=abc"}),
            "`cmpost secret add` has no option '--secret-fiel' (did you mean '--secret-file'?)");
}

TEST_F(UnknownWords, ThatAreFarFromAllAreNamedAlone) {
  EXPECT_EQ(said({"frobnicate"}),
            "`cmpost` has no command 'frobnicate' (`cmpost --help` lists all)");
  EXPECT_EQ(said({"status", "--frobnicate"}),
            "`cmpost status` has no option '--frobnicate' (`cmpost status --help` describes all)");
}

TEST_F(UnknownWords, AreNoValuesArgumentsOrOptionsOfACommandAbove) {
  EXPECT_EQ(said({"secret", "add", "sceret", "--json", "--config", "--odd"}), "");
  EXPECT_EQ(said({"secret", "add", "--secret-file=--x", "-h", "-1"}), "");
  EXPECT_EQ(said({"secret", "add", "--", "--jsn"}), "");
  EXPECT_EQ(said({}), "");
}

TEST(Names, OfChannelsAndProfilesAreNamedWithTheNearest) {
  Settings settings;
  EXPECT_EQ(to_string(channel_named(settings, "drop").error()),
            "there is no channel 'drop' (there is none at all in the settings)");
  settings.channels.resize(2);
  settings.channels[0].name = "drop";
  settings.channels[1].name = "depots";
  EXPECT_EQ(*channel_named(settings, "drop"), &settings.channels[0]);
  EXPECT_EQ(to_string(channel_named(settings, "drpo").error()),
            "there is no channel 'drpo' (did you mean 'drop'?)");
  EXPECT_EQ(to_string(channel_named(settings, "elsewhere").error()),
            "there is no channel 'elsewhere' (one of: drop, depots)");
}

}  // namespace
}  // namespace cmpost
