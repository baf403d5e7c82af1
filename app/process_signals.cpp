#include "app/process_signals.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <csignal>

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

}  // namespace cmpost
