#include "mail/wire/login_secret.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/secret_line.h"

// The header of glibc 2.36 forgets that C++ spells names differently.
extern "C" {
#include <sys/pidfd.h>
}

namespace cmpost {
namespace {

constexpr std::size_t kMaxSecret = std::size_t{16} << 10U;

// /bin/sh at work, in a process group of its own. Whatever is left of it goes with the object.
class ShellCommand {
 public:
  static Result<std::unique_ptr<ShellCommand>> start(const std::string& command);
  ~ShellCommand();

  // What it prints.
  Result<std::string> output(const Patience& patience);

 private:
  ShellCommand(pid_t pid, FileDescriptor out) : pid_(pid), out_(std::move(out)) {}
  Result<void> exited_well(const Patience& patience);

  pid_t pid_;
  bool reaped_ = false;
  FileDescriptor out_;
};

int spawn_shell(const std::string& command, int out, pid_t& pid) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&files);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
  sigset_t none, all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::string shell = "sh", option = "-c", text = command;
  char* const arguments[] = {shell.data(), option.data(), text.data(), nullptr};
  const int error = ::posix_spawn(&pid, "/bin/sh", &files, &attributes, arguments, ::environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  return error;
}

Result<std::unique_ptr<ShellCommand>> ShellCommand::start(const std::string& command) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return failure(errno_error("starting", "/bin/sh", errno));
  FileDescriptor out(ends[0]), in(ends[1]);
  pid_t pid = 0;
  if (const int error = spawn_shell(command, in.get(), pid); error != 0) {
    return failure(errno_error("starting", "/bin/sh", error));
  }
  return std::unique_ptr<ShellCommand>(new ShellCommand(pid, std::move(out)));
}

ShellCommand::~ShellCommand() {
  // The group may outlive its leader: children that went to the background.
  ::kill(-pid_, SIGKILL);
  if (!reaped_) ::waitpid(pid_, nullptr, 0);
}

Result<std::string> ShellCommand::output(const Patience& patience) {
  std::string printed;
  for (;;) {
    if (patience.wait(out_.get(), POLLIN) != Patience::End::ready) {
      return retry("the token_command took too long");
    }
    char chunk[4096];
    const auto count = ::read(out_.get(), chunk, sizeof(chunk));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failure(errno_error("reading from", "token_command", errno));
    if (count == 0) break;
    printed.append(chunk, static_cast<std::size_t>(count));
    if (printed.size() > kMaxSecret) return hold("the token_command printed too much for a token");
  }
  TRY(exited_well(patience));
  return printed;
}

Result<void> ShellCommand::exited_well(const Patience& patience) {
  const FileDescriptor process(::pidfd_open(pid_, 0));
  if (process && patience.wait(process.get(), POLLIN) != Patience::End::ready) {
    return retry("the token_command took too long");
  }
  int status = 0;
  if (::waitpid(pid_, &status, 0) != pid_) {
    return failure(errno_error("waiting for", "token_command", errno));
  }
  reaped_ = true;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return retry("the token_command failed with " +
               (WIFEXITED(status) ? "status " + std::to_string(WEXITSTATUS(status))
                                  : "signal " + std::to_string(WTERMSIG(status))));
}

Result<std::string> token_of(const std::string& command, const Patience& patience) {
  ASSIGN_OR_RETURN(const auto shell, ShellCommand::start(command));
  ASSIGN_OR_RETURN(auto token, shell->output(patience));
  token.erase(token.find_last_not_of(" \t\r\n") + 1);
  if (!is_secret_line(token) || token.find(' ') != std::string::npos) {
    return hold("the token_command printed no token", "one word on one line is expected");
  }
  return token;
}

}  // namespace

Result<std::string> login_secret(const LoginSettings& login, const Patience& patience) {
  if (!login.token_command.empty()) return token_of(login.token_command, patience);
  if (!login.password_file.empty()) return read_secret_line(login.password_file);
  return hold("the login of " + printable(login.user) + " has neither password nor token",
              "set password_file or token_command");
}

}  // namespace cmpost
