// One batch: what `cmpost run` does.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>

#include "app/instance/instance.h"
#include "app/instance/sign_of_life.h"
#include "app/service/process_signals.h"
#include "app/service/progress.h"
#include "base/mutex.h"
#include "carrier/way_state.h"
#include "outbox/dispatcher.h"
#include "processor/processor.h"
#include "watcher/ingress.h"

namespace cmpost {

// What ends a batch before all is worked on, and how fast it goes.
struct BatchLimits {
  // Asked before each group of requests is committed; a reason stops the batch: what is not
  // committed waits on, and the answers that are there leave.
  std::function<Result<std::optional<std::string>>()> stop_reason{};
  std::optional<double> rate{};  // at most so many requests a second
  // A way in that cannot be read is no trouble of ours: it rests, which is on record.
  bool channels_may_rest = false;
  bool take_in = true;  // false: what is in the queue already, and nothing else
  bool quiet = false;   // how far it is, is not told
};

// The three stages at the same time, on the channels in the instance's scope, each until the one
// before it has ended and nothing is left to do. Used once.
class BatchRun {
 public:
  // `digest`: of the settings. `instance` outlives it.
  BatchRun(Instance& instance, std::string digest, BatchLimits limits = {});

  // An Error is trouble of ours, or that it was interrupted: then nothing is lost.
  Result<void> work(ProcessSignals& signals);

  const Intake& intake() const { return intake_; }
  const ProcessorTotals& processed() const { return processed_; }
  const Dispatched& sent() const { return sent_; }
  // Answers that have not left, whichever run has tried.
  std::size_t still_to_send() const { return still_to_send_; }
  // Those that wait for people to carry them, which is no trouble.
  std::size_t for_the_courier() const { return for_the_courier_; }
  // Of `limits`.
  const std::optional<std::string>& stopped_for() const { return stopped_for_; }
  bool interrupted() const { return interrupted_; }
  // A way in could not be read.
  bool a_way_rests() const { return a_way_rests_; }

 private:
  bool failed();
  std::size_t ended() const;
  bool may_commit();
  bool keep_pace();
  ProcessorSettings processor_settings();
  Result<void> count_what_stays(Spool& spool);
  Result<void> run_stages(Spool& spool, Processor& processor, Dispatcher& dispatcher,
                          ProcessSignals& signals);
  void take_in(Spool& spool, std::stop_token stop);
  void process(Processor& processor, JobQueue& requests, std::stop_token stop);
  static Result<bool> is_all_sent(Spool& spool, Dispatcher& dispatcher);
  void dispatch(Spool& spool, Dispatcher& dispatcher, std::stop_token stop);
  Result<void> tell_progress(Spool& spool);
  void note(const Error& error);

  Instance& instance_;
  const std::string digest_;
  const BatchLimits limits_;
  SteadyClock steady_;
  WayBook ways_;
  SignOfLife life_;
  std::atomic<bool> taken_in_ = false, processed_all_ = false, dispatched_ = false;
  std::atomic<bool> stopped_ = false;  // stopped_for_ says why
  bool interrupted_ = false;
  std::size_t still_to_send_ = 0, for_the_courier_ = 0;
  bool a_way_rests_ = false;                // of the taking thread, until it is joined
  Intake intake_;                           // of the taking thread, until it is joined
  ProcessorTotals processed_;               // of the processing thread
  std::optional<std::string> stopped_for_;  // of the processing thread
  Time next_group_ = Time::min();           // of the processing thread, by the steady clock
  std::stop_token processing_;              // the same
  Dispatched sent_;                         // of the dispatching thread
  std::atomic<std::size_t> done_ = 0, refused_ = 0;  // of the committing thread
  Progress progress_;
  Mutex mutex_;
  std::optional<Error> error_ GUARDED_BY(mutex_);
};

}  // namespace cmpost
