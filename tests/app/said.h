// What a command prints and how it ends.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "app/program.h"

namespace cmpost {

struct Said {
  ExitCode code = ExitCode::ok;
  std::string out, err;
  nlohmann::json json() const { return nlohmann::json::parse(out); }
};

inline Said say(const std::string& directory, std::vector<std::string> words) {
  words.insert(words.begin(), {"cmpost", "--config", directory + "/cmpost.toml"});
  std::vector<const char*> arguments;
  for (const auto& word : words) arguments.push_back(word.c_str());
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  Said said;
  said.code = run_program(static_cast<int>(arguments.size()), arguments.data());
  // What is printed is in the buffer of the C library until somebody asks.
  std::fflush(stdout);
  said.out = ::testing::internal::GetCapturedStdout();
  said.err = ::testing::internal::GetCapturedStderr();
  return said;
}

// The findings of a kind in the answer of `status --json` or `check --json`.
inline std::vector<nlohmann::json> remarks_of(const Said& said, const std::string& kind) {
  std::vector<nlohmann::json> some;
  const auto all = said.json();
  for (const auto& finding : all.at("findings")) {
    if (finding.at("kind") == kind) some.push_back(finding);
  }
  return some;
}

}  // namespace cmpost
