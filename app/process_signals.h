// SIGINT and SIGTERM as an orderly request to stop.
#pragma once

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
  // By any thread: ends the wait, or the next one.
  void wake();

 private:
  FileDescriptor signals_;
  FileDescriptor news_;
};

}  // namespace cmpost
