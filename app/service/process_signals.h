// What the system and people ask of the process while it works.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <thread>

#include "base/clock.h"
#include "base/files.h"
#include "base/result.h"

namespace cmpost {

enum class Asked { nothing, stop, reload };

// Blocks SIGINT, SIGTERM and SIGHUP for the calling thread and all that it starts later; make it
// before any other thread. SIGPIPE is ignored from then on.
//
// Once a stop is asked for, the process has nine seconds to come to its end by itself. What does
// not end by then, as a disk that does not answer, is named in the log, and the process ends with
// ExitCode::hung: that is safe at any time, like loss of power.
class ProcessSignals {
 public:
  // `hangup`: what SIGHUP asks for. A `stop` is one that nohup(1) has not switched off. An Error
  // where the system has no more threads.
  static Result<std::unique_ptr<ProcessSignals>> create(Asked hangup);
  ~ProcessSignals();
  ProcessSignals(const ProcessSignals&) = delete;
  ProcessSignals& operator=(const ProcessSignals&) = delete;

  // Waits until something is asked, `time_out` is over or wake() was called. Several reloads are
  // one; a stop is asked for good.
  Asked wait(Duration time_out);
  // The account that has sent the last SIGHUP; nullopt: none has, or nobody knows.
  std::optional<uid_t> asked_by() const;
  // By any thread: ends the wait, or the next one.
  void wake();

 private:
  explicit ProcessSignals(Asked hangup);
  void listen();
  void take_signals();
  void note_stop();

  const Asked hangup_;
  FileDescriptor signals_;
  FileDescriptor news_;  // for wait()
  FileDescriptor end_;   // for listen()
  std::atomic<bool> stop_ = false, reload_ = false;
  std::atomic<std::int64_t> asked_by_ = -1;
  std::optional<std::chrono::steady_clock::time_point> deadline_;  // of the listening thread
  // Its own: whoever waits may hang itself.
  std::jthread listening_;
};

}  // namespace cmpost
