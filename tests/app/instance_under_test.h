// An instance as `cmpost init` makes it, at a time of the test's choosing.
#pragma once

#include <fstream>

#include "app/instance/instance.h"
#include "app/program.h"
#include "base/files.h"
#include "base/log.h"
#include "tests/support/fake_clock.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {

inline void make_instance(const std::string& directory) {
  const char* const words[] = {"cmpost", "--quiet", "init", directory.c_str()};
  ASSERT_EQ(run_program(4, words), ExitCode::ok);
  log::configure({});  // --quiet has changed it
}

// Makes copies of an instance in directories that are there, for killed_at_each_step().
inline auto copies_of(const std::string& instance) {
  return [instance](const std::string& directory) {
    std::filesystem::copy(instance, directory, std::filesystem::copy_options::recursive);
  };
}

// Puts lines in front of the first line that begins with `before`.
inline void insert_settings(const std::string& directory, const std::string& before,
                            const std::string& lines) {
  const auto file = directory + "/cmpost.toml";
  std::string text(text_of(read_file(file, 1 << 20).value()));
  const auto at = text.find(before);
  ASSERT_NE(at, std::string::npos);
  text.insert(at, lines);
  std::ofstream(file) << text;
}

inline std::unique_ptr<Instance> open_instance(const std::string& directory, const Clock& clock) {
  return std::make_unique<Instance>(load(directory + "/cmpost.toml").value(), &clock);
}

}  // namespace cmpost
