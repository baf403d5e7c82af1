#include "app/process_signals.h"

#include <pthread.h>

#include <cerrno>

namespace cmpost {

ProcessSignals::ProcessSignals() {
  ::signal(SIGPIPE, SIG_IGN);
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
}

bool ProcessSignals::wait_for_stop(Duration time_out) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time_out);
  const timespec time{static_cast<time_t>(seconds.count()),
                      static_cast<long>((time_out - seconds).count() * 1000)};
  return ::sigtimedwait(&signals_, nullptr, &time) > 0;
}

}  // namespace cmpost
