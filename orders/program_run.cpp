#include "orders/program_run.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <vector>

#include "base/files.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

// What has been asked for may just come.
constexpr Duration kGrace = 500ms;

struct Pipe {
  FileDescriptor ours, its;
};

// What is ours never blocks: it stands under time limits.
Result<Pipe> make_pipe(bool we_write) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return failure(errno_error("making", "a pipe", errno));
  Pipe pipe{FileDescriptor(ends[we_write ? 1 : 0]), FileDescriptor(ends[we_write ? 0 : 1])};
  if (::fcntl(pipe.ours.get(), F_SETFL, O_NONBLOCK) != 0) {
    return failure(errno_error("making", "a pipe", errno));
  }
  return pipe;
}

// As long as it lives a reader that is gone raises no signal, in this thread: EPIPE says it all.
class WithoutSigpipe {
 public:
  WithoutSigpipe() {
    ::sigemptyset(&pipe_);
    ::sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    ::sigpending(&pending);
    was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  ~WithoutSigpipe() {
    constexpr timespec kNow{0, 0};
    if (!was_pending_) {
      while (::sigtimedwait(&pipe_, nullptr, &kNow) < 0 && errno == EINTR) {
      }
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t pipe_{}, before_{};
  bool was_pending_ = false;
};

int spawn(const ProgramRun& run, int in, int out, pid_t& pid) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&files);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
  sigset_t none, all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<std::string> texts;
  for (const auto& [name, value] : run.environment) texts.push_back(name + "=" + value);
  std::vector<char*> environment;
  for (auto& text : texts) environment.push_back(text.data());
  environment.push_back(nullptr);
  auto program = run.program;
  char* const arguments[] = {program.data(), nullptr};
  const int error =
      ::posix_spawn(&pid, program.c_str(), &files, &attributes, arguments, environment.data());
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  return error;
}

// Whatever is left of it goes with the object.
class Program {
 public:
  Program(const ProgramRun& run, pid_t pid, FileDescriptor in, FileDescriptor out)
      : run_(run), pid_(pid), in_(std::move(in)), out_(std::move(out)) {}
  Program(const Program&) = delete;
  ~Program() {
    ::kill(-pid_, SIGKILL);
    if (!reaped_) ::waitpid(pid_, nullptr, 0);
  }

  ProgramEnd end(const std::stop_token& stop) {
    const auto until = std::chrono::steady_clock::now() + run_.time_limit;
    std::optional<std::chrono::steady_clock::time_point> stopped;
    while (!closed_ || !reaped_) {
      const auto now = std::chrono::steady_clock::now();
      if (stop.stop_requested() && !stopped) stopped = now;
      if (stopped && now - *stopped > kGrace) return ended("the service was stopped");
      if (now >= until) return ended("it took longer than time_limit");
      if (const auto error = exchange()) return ended(*error);
      reap();
    }
    if (const auto error = too_much()) return ended(*error);
    if (!WIFEXITED(status_)) {
      return ended("it was ended by signal " + std::to_string(WTERMSIG(status_)));
    }
    return {ProgramEnd::What::exited, WEXITSTATUS(status_), std::move(output_), {}};
  }

 private:
  // Waits a moment for something to be written or read; what is wrong, if anything.
  std::optional<std::string> exchange() {
    std::array<pollfd, 2> both = {pollfd{closed_ ? -1 : out_.get(), POLLIN, 0},
                                  pollfd{in_ ? in_.get() : -1, POLLOUT, 0}};
    constexpr int kMoment = 20;  // milliseconds
    if (::poll(both.data(), both.size(), kMoment) < 0 && errno != EINTR) {
      return errno_error("waiting for", run_.program, errno).what;
    }
    if (both[1].revents != 0) give();
    return both[0].revents != 0 ? take() : std::nullopt;
  }

  // It need not read it.
  void give() {
    const auto rest = ByteView(run_.input).subspan(given_);
    const WithoutSigpipe quiet;
    const auto count = ::write(in_.get(), rest.data(), rest.size());
    const int error = errno;
    if (count > 0) given_ += static_cast<std::size_t>(count);
    const bool lost = count < 0 && error != EINTR && error != EAGAIN;
    if (lost || given_ == run_.input.size()) in_ = FileDescriptor();
  }

  std::optional<std::string> take() {
    char chunk[4096];
    const auto count = ::read(out_.get(), chunk, sizeof(chunk));
    if (count < 0) {
      if (errno == EINTR || errno == EAGAIN) return std::nullopt;
      return errno_error("reading from", run_.program, errno).what;
    }
    if (count <= 0) {
      closed_ = true;
      return std::nullopt;
    }
    output_.insert(output_.end(), chunk, chunk + count);
    return too_much();
  }

  std::optional<std::string> too_much() const {
    if (output_.size() <= run_.most_output) return std::nullopt;
    return "it printed more than " + std::to_string(run_.most_output) +
           " octets (max_message of the channel)";
  }

  // Its children may hold stdout longer than it lives: they are not waited for.
  void reap() {
    if (reaped_ || ::waitpid(pid_, &status_, WNOHANG) != pid_) return;
    reaped_ = true;
    while (!closed_ && ready_to_read() && !take()) {
    }
    closed_ = true;
  }
  bool ready_to_read() const {
    pollfd one{out_.get(), POLLIN, 0};
    return ::poll(&one, 1, 0) > 0;
  }

  ProgramEnd ended(std::string why) {
    return {ProgramEnd::What::ended, 0, {}, Error{Recovery::retry, run_.program + ": " + why, {}}};
  }

  const ProgramRun& run_;
  const pid_t pid_;
  FileDescriptor in_, out_;
  std::size_t given_ = 0;
  Bytes output_;
  bool closed_ = false, reaped_ = false;
  int status_ = 0;
};

ProgramEnd not_started(Error error) {
  return {ProgramEnd::What::not_started, 0, {}, std::move(error)};
}

}  // namespace

ProgramEnd run_program(const ProgramRun& run, const std::stop_token& stop) {
  auto in = make_pipe(true), out = make_pipe(false);
  if (!in) return not_started(in.error());
  if (!out) return not_started(out.error());
  pid_t pid = 0;
  if (const int error = spawn(run, in->its.get(), out->its.get(), pid); error != 0) {
    return not_started(errno_error("starting", run.program, error));
  }
  Program program(run, pid, std::move(in->ours), std::move(out->ours));
  in->its = FileDescriptor();
  out->its = FileDescriptor();
  return program.end(stop);
}

}  // namespace cmpost
