// How long one dialogue may take, and what ends it before its time.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>

#include "base/clock.h"
#include "base/files.h"

namespace cmpost {

// A deadline and a stop_token that waiting on a file descriptor obeys. Used by one thread; the stop
// may be requested by any.
class Patience {
 public:
  Patience(Duration time_limit, const std::stop_token& stop);

  enum class End {
    ready,   // the file descriptor is, or was hung up
    late,    // the deadline has passed
    stopped  // a stop was requested
  };
  // Waits for `events` (poll(2)) on `fd`; with fd < 0 for the deadline or a stop alone.
  End wait(int fd, short events) const;
  // What wait() would say without a file descriptor; nullopt while there is time.
  std::optional<End> over() const;

  Duration left() const;  // zero when it is over
  // Readable once a stop was requested; -1 when nobody can request one.
  int stop_fd() const { return wake_.get(); }
  const std::stop_token& stop() const { return stop_; }

 private:
  std::chrono::steady_clock::time_point deadline_;
  std::stop_token stop_;
  FileDescriptor wake_;
  std::optional<std::stop_callback<std::function<void()>>> on_stop_;
};

}  // namespace cmpost
