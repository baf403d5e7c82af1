// Another program beside a test.
#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include "tests/support/matchers.h"

namespace cmpost {

// Runs from construction on; killed at the end, if it has not ended.
class ChildProcess {
 public:
  // words[0] is searched for in PATH. What it prints goes to `output`.
  explicit ChildProcess(std::vector<std::string> words, const std::string& output = "/dev/null") {
    std::vector<char*> pointers;
    for (auto& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, 1, output.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                       0600);
    ::posix_spawn_file_actions_adddup2(&actions, 1, 2);
    const int error =
        ::posix_spawnp(&pid_, pointers[0], &actions, nullptr, pointers.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    EXPECT_EQ(error, 0) << words[0];
    if (error != 0) pid_ = 0;
  }
  ~ChildProcess() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    wait();
  }
  ChildProcess(const ChildProcess&) = delete;

  // For its end; the exit code, or -1 when it was killed.
  int wait() {
    int status = 0;
    if (pid_ == 0 || ::waitpid(std::exchange(pid_, 0), &status, 0) < 0) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = 0;
};

inline int run_command(std::vector<std::string> words) {
  return ChildProcess(std::move(words)).wait();
}

}  // namespace cmpost
