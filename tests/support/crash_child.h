// Runs one disabled test of this program in a process of its own that dies at its n-th durable
// step.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/support/temporary_directory.h"

namespace cmpost {

// In the child: the directory that the parent has given.
inline std::string crash_directory() {
  const char* directory = std::getenv("CMPOST_TEST_DIRECTORY");
  return directory == nullptr ? "" : directory;
}

// True: the child was killed at its `crash_at`-th step. False: it came to its end before that, so
// there are no more steps; anything else fails the test. The child is a program started anew,
// because a copy of this one would have read the plan of its death already.
inline bool crashes_at(const std::string& test, const std::string& directory,
                       const std::string& crash_at) {
  std::vector<std::string> words = {"self", "--gtest_also_run_disabled_tests",
                                    "--gtest_filter=" + test};
  std::vector<std::string> variables = {"CMPOST_TEST_DIRECTORY=" + directory,
                                        "CMPOST_CRASH_AT=" + crash_at};
  const auto pointers = [](std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (auto& text : texts) result.push_back(text.data());
    result.push_back(nullptr);
    return result;
  };
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int error = ::posix_spawn(&child, "/proc/self/exe", &actions, nullptr,
                                  pointers(words).data(), pointers(variables).data());
  ::posix_spawn_file_actions_destroy(&actions);
  EXPECT_EQ(error, 0);
  int status = 0;
  if (error != 0 || ::waitpid(child, &status, 0) != child) return false;
  const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  EXPECT_TRUE(killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) << "status " << status;
  return killed;
}
inline bool crashes_at(const std::string& test, const std::string& directory, int crash_at) {
  return crashes_at(test, directory, std::to_string(crash_at));
}

// At its first step, its second, and so on until it comes to its end; the number of runs. Each has
// a directory of its own, which `prepare(directory)` fills and `look(directory, crashed)` judges.
template <typename Prepare, typename Look>
int killed_at_each_step(const std::string& test, Prepare prepare, Look look) {
  int runs = 0;
  for (bool crashed = true; crashed && !::testing::Test::HasFailure(); ++runs) {
    SCOPED_TRACE("killed at step " + std::to_string(runs + 1));
    const TemporaryDirectory directory;
    prepare(directory.path());
    crashed = crashes_at(test, directory.path(), runs + 1);
    look(directory.path(), crashed);
  }
  return runs;
}

}  // namespace cmpost
