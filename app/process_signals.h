// SIGINT and SIGTERM as an orderly request to stop.
#pragma once

#include <thread>

#include "base/clock.h"
#include "base/files.h"

namespace cmpost {

// Blocks the signals for the calling thread and all that it starts later; make it before any
// other thread. SIGPIPE is ignored from then on.
class ProcessSignals {
 public:
  ProcessSignals();
  // Waits; true when the process is asked to stop, false when the time is over or wake() was
  // called.
  bool wait_for_stop(Duration time_out);
  // By any thread: the process was asked to stop, and wait_for_stop() has not been called since.
  bool stop_waits() const;
  // By any thread: ends the wait, or the next one.
  void wake();

 private:
  FileDescriptor signals_;
  FileDescriptor news_;
};

// As if it had been killed, which loses nothing; the log says so.
[[noreturn]] void end_hard();

// From its making until its end the process may take this long; then end_hard() ends it.
// For a stop that has to come to an end whatever the disk, a
// server or a reader of the log does.
class EndsInTime {
 public:
  explicit EndsInTime(Duration limit);

 private:
  std::jthread watching_;
};

}  // namespace cmpost
