#include "base/start_thread.h"

#include <csignal>
#include <system_error>

namespace cmpost {
namespace {

sigset_t all_but_faults() {
  sigset_t set;
  ::sigfillset(&set);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) ::sigdelset(&set, fault);
  return set;
}

// The mask is inherited, so that there is no moment at which the thread has another.
template <typename Work>
Result<std::jthread> start(Work work) {
  const auto blocked = all_but_faults();
  sigset_t before;
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
  Result<std::jthread> started;
  try {
    started = std::jthread(std::move(work));
  } catch (const std::system_error& error) {
    started = failure(errno_error("starting", "a thread", error.code().value()));
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

}  // namespace

Result<std::jthread> start_thread(std::function<void()> work) { return start(std::move(work)); }

Result<std::jthread> start_thread(std::function<void(std::stop_token)> work) {
  return start(std::move(work));
}

}  // namespace cmpost
