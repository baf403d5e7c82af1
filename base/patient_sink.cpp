#include "base/patient_sink.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <thread>

namespace cmpost::log {
namespace {

constexpr std::size_t kMostWaiting = std::size_t{1} << 20U;
constexpr std::size_t kTerminalPiece = 256;
constexpr int kLookMillis = 200;

// Whether some octets can be written without waiting. Also where nobody reads any more: writing
// then fails at once.
bool is_wanted(int wait_millis) {
  pollfd descriptor = {STDERR_FILENO, POLLOUT, 0};
  return ::poll(&descriptor, 1, wait_millis) == 1 && descriptor.revents != 0;
}

// So much fits into a pipe that is not full.
std::size_t piece_size() { return ::isatty(STDERR_FILENO) == 1 ? kTerminalPiece : PIPE_BUF; }

}  // namespace

// False: the reader takes no more just now.
bool PatientSink::drain() {
  while (!waiting_.empty()) {
    if (!is_wanted(0)) return false;
    const auto count =
        ::write(STDERR_FILENO, waiting_.data(), std::min(waiting_.size(), piece_size()));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return false;
    if (count < 0) {
      waiting_.clear();  // a full disk, a closed pipe: nobody could be told
      return true;
    }
    waiting_.erase(0, static_cast<std::size_t>(count));
  }
  return true;
}

void PatientSink::add(std::string_view line) {
  if (dropped_ > 0) {
    const auto lost = lost_(dropped_) + "\n";
    if (waiting_.size() + lost.size() + line.size() > kMostWaiting) {
      ++dropped_;
      return;
    }
    dropped_ = 0;
    waiting_ += lost;
  }
  if (waiting_.size() + line.size() > kMostWaiting) {
    ++dropped_;
    return;
  }
  waiting_ += line;
}

void PatientSink::sink_it_(const spdlog::details::log_msg& message) {
  spdlog::memory_buf_t line;
  formatter_->format(message, line);
  if (!draining_) (void)drain();
  add({line.data(), line.size()});
  if (!draining_ && !drain()) drain_later();
}

void PatientSink::drain_later() {
  draining_ = true;
  std::thread([self = shared_from_this()] {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    for (bool done = false; !done;) {
      (void)is_wanted(kLookMillis);
      const std::lock_guard lock(self->mutex_);
      done = self->drain();
      if (done && self->dropped_ > 0) {
        self->add({});
        done = self->drain();
      }
      self->draining_ = !done;
    }
  }).detach();
}

void PatientSink::flush_within(Duration limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (drain()) return;
    }
    if (std::chrono::steady_clock::now() >= end) return;
    (void)is_wanted(kLookMillis / 10);
  }
}

}  // namespace cmpost::log
