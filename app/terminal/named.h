// What a command line names: channels and profiles, and the words of the program itself.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/settings.h"

namespace cmpost {

// What begins like `word`, when it is one alone; else what is spelt nearly like it.
std::optional<std::string> meant(const std::string& word,
                                 const std::vector<std::string>& candidates);
// "there is no channel 'drp'", with the name that was probably meant.
Error no_such(std::string_view kind, const std::string& name,
              const std::vector<std::string>& candidates);
Result<const ChannelSettings*> channel_named(const Settings& settings, const std::string& name);
Result<const ProfileSettings*> profile_named(const Settings& settings, const std::string& name);

// For CLI11: takes the `names` of a `kind` alone ("state"), and says which was probably meant.
CLI::Validator one_of(std::string kind, std::vector<std::string> names);

// The first word of a command line that `app` does not know, where a command or an option has to
// stand; nullopt: all of them are known. `words` without the program's name.
std::optional<Error> find_unknown_word(const CLI::App& app, const std::vector<std::string>& words);

}  // namespace cmpost
