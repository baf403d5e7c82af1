// SIGINT and SIGTERM as an orderly request to stop.
#pragma once

#include <csignal>

#include "base/clock.h"

namespace cmpost {

// Blocks the signals for the calling thread and all that it starts later; make it before any
// other thread. SIGPIPE is ignored from then on.
class ProcessSignals {
 public:
  ProcessSignals();
  // Waits; true when the process is asked to stop.
  bool wait_for_stop(Duration time_out);

 private:
  sigset_t signals_;
};

}  // namespace cmpost
