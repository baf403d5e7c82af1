#include "app/service/process_signals.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>

#include "app/terminal/exit_code.h"
#include "base/at_work.h"
#include "base/log.h"
#include "base/start_thread.h"
#include "store/connection.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

// Service managers, and people, wait ten seconds and longer before they kill.
constexpr auto kToTheEnd = 9s;

bool is_ignored(int signal) {
  struct sigaction action {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

int millis_until(const std::optional<std::chrono::steady_clock::time_point>& time) {
  if (!time) return -1;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(*time - std::chrono::steady_clock::now());
  return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
}

[[noreturn]] void end_hard() {
  log::error("service.ended_hard", {{"reason", "what was under way did not end in time"},
                                    {"at_work", AtWork::list()},
                                    {"hint", "nothing is lost by it, the next start goes on"}});
  log::flush(std::chrono::milliseconds(100));
  std::_Exit(static_cast<int>(ExitCode::hung));
}

}  // namespace

ProcessSignals::ProcessSignals(Asked hangup)
    : hangup_(hangup),
      news_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      end_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  if (hangup == Asked::reload || !is_ignored(SIGHUP)) sigaddset(&set, SIGHUP);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signals_ = FileDescriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  CHECK(signals_ && news_ && end_);
}

Result<std::unique_ptr<ProcessSignals>> ProcessSignals::create(Asked hangup) {
  std::unique_ptr<ProcessSignals> signals(new ProcessSignals(hangup));
  ASSIGN_OR_RETURN(signals->listening_, start_thread([&all = *signals] { all.listen(); }));
  return signals;
}

ProcessSignals::~ProcessSignals() {
  ::eventfd_write(end_.get(), 1);
  if (listening_.joinable()) listening_.join();
  wait_briefly_for_databases(false);
}

void ProcessSignals::listen() {
  for (;;) {
    std::array<pollfd, 2> waiting = {{{signals_.get(), POLLIN, 0}, {end_.get(), POLLIN, 0}}};
    ::poll(waiting.data(), waiting.size(), millis_until(deadline_));
    if (waiting[1].revents != 0) return;
    take_signals();
    if (deadline_ && std::chrono::steady_clock::now() >= *deadline_) end_hard();
  }
}

void ProcessSignals::take_signals() {
  signalfd_siginfo signal;
  while (::read(signals_.get(), &signal, sizeof signal) == sizeof signal) {
    const bool reload = signal.ssi_signo == SIGHUP && hangup_ == Asked::reload;
    if (reload) asked_by_ = signal.ssi_code == SI_USER ? std::int64_t{signal.ssi_uid} : -1;
    reload ? void(reload_ = true) : note_stop();
    wake();
  }
}

void ProcessSignals::note_stop() {
  if (stop_.exchange(true)) return;
  deadline_ = std::chrono::steady_clock::now() + kToTheEnd;
  wait_briefly_for_databases(true);
}

Asked ProcessSignals::wait(Duration time_out) {
  const auto time = std::chrono::ceil<std::chrono::milliseconds>(time_out);
  pollfd waiting{news_.get(), POLLIN, 0};
  if (!stop_ && !reload_) ::poll(&waiting, 1, static_cast<int>(time.count()));
  eventfd_t news = 0;
  ::eventfd_read(news_.get(), &news);
  if (stop_) return Asked::stop;
  return reload_.exchange(false) ? Asked::reload : Asked::nothing;
}

std::optional<uid_t> ProcessSignals::asked_by() const {
  const auto uid = asked_by_.load();
  return uid < 0 ? std::nullopt : std::optional(static_cast<uid_t>(uid));
}

void ProcessSignals::wake() { ::eventfd_write(news_.get(), 1); }

}  // namespace cmpost
