#include "base/patient_sink.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "base/start_thread.h"

namespace cmpost::log {
namespace {

constexpr std::size_t kMostWaiting = std::size_t{1} << 20U;
constexpr std::size_t kWrittenKept = std::size_t{64} << 10U;
constexpr std::size_t kTerminalPiece = 256;
constexpr int kLookMillis = 200;
constexpr std::string_view kClearLine = "\x1b[2K\r";

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
  while (left() > 0) {
    if (!is_wanted(0)) return false;
    const auto count =
        ::write(STDERR_FILENO, waiting_.data() + written_, std::min(left(), piece_size()));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return false;
    if (count < 0) {
      forget(waiting_.size());  // a full disk, a closed pipe: nobody could be told
      return true;
    }
    note_written(static_cast<std::size_t>(count));
  }
  return true;
}

void PatientSink::note_written(std::size_t count) {
  written_ += count;
  torn_ = waiting_[written_ - 1] != '\n' && waiting_[written_ - 1] != '\r';
  // Not after each piece: moving the rest every time would cost the square of what waits.
  if (left() == 0 || written_ >= std::max(left(), kWrittenKept)) forget(written_);
}

void PatientSink::forget(std::size_t count) {
  waiting_.erase(0, count);
  written_ = 0;
}

// Also how many were lost.
bool PatientSink::drain_all() {
  if (!drain()) return false;
  if (dropped_ == 0) return true;
  add({});
  return drain();
}

void PatientSink::add(std::string_view line) {
  if (torn_ && left() == 0) waiting_ += '\n';  // the rest of that line could not be written
  if (dropped_ > 0) {
    const auto lost = lost_(dropped_) + "\n";
    if (left() + lost.size() + line.size() > kMostWaiting) {
      ++dropped_;
      return;
    }
    dropped_ = 0;
    waiting_ += lost;
  }
  if (left() + line.size() > kMostWaiting) {
    ++dropped_;
    return;
  }
  waiting_ += line;
}

void PatientSink::sink_it_(const spdlog::details::log_msg& message) {
  spdlog::memory_buf_t line;
  formatter_->format(message, line);
  if (!draining_) (void)drain();
  if (!kept_.empty()) add(kClearLine);
  add({line.data(), line.size()});
  add_kept();
  drain_now();
}

// The cursor stays at its begin: whatever else writes to the terminal writes over it.
void PatientSink::add_kept() {
  if (!kept_.empty()) add(kept_ + "\r");
}

void PatientSink::drain_now() {
  if (!draining_ && !drain()) drain_later();
}

void PatientSink::keep_below(std::string line) {
  if (::isatty(STDERR_FILENO) != 1) return;
  const std::lock_guard lock(mutex_);
  // A terminal that is held is not filled with them.
  if (draining_ || (kept_.empty() && line.empty())) return;
  kept_ = std::move(line);
  add(kClearLine);
  add_kept();
  drain_now();
}

void PatientSink::drain_later() {
  auto thread = start_thread([self = shared_from_this()] {
    for (bool done = false; !done;) {
      (void)is_wanted(kLookMillis);
      const std::lock_guard lock(self->mutex_);
      done = self->drain_all();
      self->draining_ = !done;
    }
  });
  if (!thread) return;  // the next line tries again
  draining_ = true;
  thread->detach();
}

void PatientSink::flush_within(Duration limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (drain_all()) return;
    }
    if (std::chrono::steady_clock::now() >= end) return;
    (void)is_wanted(kLookMillis / 10);
  }
}

}  // namespace cmpost::log
