#include "app/process_signals.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>

#include "app/exit_code.h"
#include "base/log.h"
#include "base/pause.h"

namespace cmpost {

ProcessSignals::ProcessSignals() : news_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGINT);
  sigaddset(&stop, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  signals_ = FileDescriptor(::signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK));
  CHECK(signals_ && news_);
}

bool ProcessSignals::wait_for_stop(Duration time_out) {
  const auto time = std::chrono::ceil<std::chrono::milliseconds>(time_out);
  std::array<pollfd, 2> waiting = {{{signals_.get(), POLLIN, 0}, {news_.get(), POLLIN, 0}}};
  ::poll(waiting.data(), waiting.size(), static_cast<int>(time.count()));
  eventfd_t news = 0;
  if (waiting[1].revents != 0) ::eventfd_read(news_.get(), &news);
  signalfd_siginfo signal;
  return ::read(signals_.get(), &signal, sizeof signal) == sizeof signal;
}

void ProcessSignals::wake() { ::eventfd_write(news_.get(), 1); }

bool ProcessSignals::stop_waits() const {
  pollfd waiting = {signals_.get(), POLLIN, 0};
  return ::poll(&waiting, 1, 0) == 1;
}

void end_hard() {
  log::error("service.ended_hard", {{"reason", "what was under way did not end in time"},
                                    {"text", "nothing is lost by it"}});
  log::flush(std::chrono::milliseconds(100));
  std::_Exit(static_cast<int>(ExitCode::failed));
}

EndsInTime::EndsInTime(Duration limit)
    : watching_([limit](const std::stop_token& stop) {
        if (pause(limit, stop)) end_hard();
      }) {}

}  // namespace cmpost
