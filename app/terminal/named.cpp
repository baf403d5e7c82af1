#include "app/terminal/named.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/joined.h"
#include "config/text/spelling.h"

namespace cmpost {
namespace {

constexpr std::size_t kLongestWord = 60;

template <typename T>
std::vector<std::string> names_of(const std::vector<T>& all) {
  std::vector<std::string> names;
  for (const auto& one : all) names.push_back(one.name);
  return names;
}

std::string full_name(const CLI::App& app) {
  const auto* parent = app.get_parent();
  return parent == nullptr ? app.get_name() : full_name(*parent) + " " + app.get_name();
}

std::vector<std::string> commands_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

// Of a command and all above it, which know theirs behind it, too.
const CLI::Option* find_option(const CLI::App* app, const std::string& name) {
  for (; app != nullptr; app = app->get_parent()) {
    if (const auto* option = app->get_option_no_throw(name)) return option;
  }
  return nullptr;
}

std::vector<std::string> options_of(const CLI::App* app) {
  std::vector<std::string> names;
  for (; app != nullptr; app = app->get_parent()) {
    for (const auto* option : app->get_options()) {
      for (const auto& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

Error unknown_option(const CLI::App& app, const std::string& name) {
  Error error{Recovery::hold,
              "`" + full_name(app) + "` has no option '" + printable(name, kLongestWord) + "'",
              "`" + full_name(app) + " --help` describes all"};
  if (const auto near = meant(name, options_of(&app))) error.hint = "did you mean '" + *near + "'?";
  return error;
}

Error unknown_command(const CLI::App& app, const std::string& name) {
  const auto known = commands_of(app);
  Error error{Recovery::hold,
              "`" + full_name(app) + "` has no command '" + printable(name, kLongestWord) + "'",
              "`" + full_name(app) + " --help` lists all"};
  if (const auto near = meant(name, known)) error.hint = "did you mean '" + *near + "'?";
  return error;
}

}  // namespace

std::optional<std::string> meant(const std::string& word,
                                 const std::vector<std::string>& candidates) {
  std::vector<std::string> begins;
  std::ranges::copy_if(candidates, std::back_inserter(begins), [&](const auto& candidate) {
    return word.size() > 2 && candidate.starts_with(word);
  });
  return begins.size() == 1 ? begins.front() : nearest(word, candidates);
}

Error no_such(std::string_view kind, const std::string& name,
              const std::vector<std::string>& candidates) {
  Error error{Recovery::hold,
              "there is no " + std::string(kind) + " '" + printable(name, kLongestWord) + "'",
              "there is none at all in the settings"};
  if (candidates.empty()) return error;
  const auto near = meant(name, candidates);
  error.hint = near ? "did you mean '" + *near + "'?" : suggestion(name, candidates);
  return error;
}

Result<const ChannelSettings*> channel_named(const Settings& settings, const std::string& name) {
  if (const auto* channel = settings.channel(name)) return channel;
  return failure(no_such("channel", name, names_of(settings.channels)));
}

Result<const ProfileSettings*> profile_named(const Settings& settings, const std::string& name) {
  if (const auto* profile = settings.profile(name)) return profile;
  return failure(no_such("profile", name, names_of(settings.profiles)));
}

CLI::Validator one_of(std::string kind, std::vector<std::string> names) {
  auto row = joined(names, ",");
  return {[kind = std::move(kind), names = std::move(names)](std::string& word) {
            if (std::ranges::find(names, word) != names.end()) return std::string();
            const auto error = no_such(kind, word, names);
            return error.what + "; " + error.hint;
          },
          "{" + row + "}"};
}

std::optional<Error> find_unknown_word(const CLI::App& app, const std::vector<std::string>& words) {
  const auto* at = &app;
  for (std::size_t i = 0; i < words.size() && words[i] != "--"; ++i) {
    const auto& word = words[i];
    if (word.starts_with("--")) {
      const auto name = word.substr(0, word.find('='));
      const auto* option = find_option(at, name);
      if (option == nullptr) return unknown_option(*at, name);
      if (option->get_items_expected_max() > 0 && name == word) ++i;  // its value
      continue;
    }
    if (word.starts_with("-") && word.size() > 1) continue;  // as -h; or a number
    if (at->get_require_subcommand_min() == 0) continue;     // an argument
    const auto found =
        at->get_subcommands([&](const CLI::App* one) { return one->get_name() == word; });
    if (found.empty()) return unknown_command(*at, word);
    at = found.front();
  }
  return std::nullopt;
}

}  // namespace cmpost
