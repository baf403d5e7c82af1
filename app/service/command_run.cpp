#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/instance/instance.h"
#include "app/instance/operator_act.h"
#include "app/instance/settings_in_use.h"
#include "app/instance/sign_of_life.h"
#include "app/looking/clock_notes.h"
#include "app/service/channels.h"
#include "app/service/process_signals.h"
#include "app/service/service_commands.h"
#include "app/terminal/output.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/start_thread.h"
#include "outbox/dispatcher.h"
#include "processor/processor.h"
#include "processor/upstream_timers.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

// One batch: the three stages at the same time, each until the one before it has ended and nothing
// is left to do.
class BatchRun {
 public:
  // `digest`: of the settings.
  BatchRun(Instance& instance, std::string digest)
      : instance_(instance),
        digest_(std::move(digest)),
        ways_(instance.settings().instance.state, instance.clock()),
        life_(instance.settings().instance.state, {kStages.begin(), kStages.end()},
              SignOfLife::Kind::run, instance.clock()) {}

  Result<void> work(ProcessSignals& signals) {
    ASSIGN_OR_RETURN(auto* const spool, instance_.spool());
    ASSIGN_OR_RETURN(auto* const ledger, instance_.ledger());
    ASSIGN_OR_RETURN(const auto services, instance_.services());
    TRY(record_settings(instance_, digest_));
    auto& maintenance = ways_.of(Part::maintenance);
    if (const auto done = maintain(instance_); !done) {
      maintenance.rests(done.error(), std::nullopt);
      return failure(done.error());
    }
    maintenance.works();
    const auto workers = static_cast<std::size_t>(instance_.settings().instance.workers);
    ASSIGN_OR_RETURN(
        auto processor,
        Processor::create(*spool, *ledger, services, settings_for(workers, ways_), [this] {
          if (const auto crl = crl_after_revocation(instance_); !crl) note(crl.error());
        }));
    ASSIGN_OR_RETURN(const auto egresses, make_egresses(instance_, steady_));
    std::vector<Egress*> channels;
    for (const auto& egress : egresses) channels.push_back(egress.get());
    // What it knows of the channels, their rests above all, counts for the whole run.
    Dispatcher dispatcher(spool->replies(), channels, instance_.likely_clock(), steady_,
                          instance_.random(), ways_);
    bool more = false;
    do {
      const auto before = ended();
      TRY(run_stages(*spool, *processor, dispatcher, signals));
      ASSIGN_OR_RETURN(more, has_work(spool->requests()));
      // What waits and is not worked on, with a clock that is behind for instance, waits on.
      more = more && ended() > before;
      ASSIGN_OR_RETURN(const bool batches, wrap_batches(*spool, *ledger, services));
      more = more || batches;
    } while (more && !interrupted_ && !failed());
    if (!instance_.is_ca()) TRY(tend_upstream(*spool, *ledger, services));
    ASSIGN_OR_RETURN(const auto left, spool->replies().counts());
    still_to_send_ = left.waiting + left.active + left.deferred;
    for (const auto& channel : instance_.settings().channels) {
      if (channel.courier() == nullptr) continue;
      ASSIGN_OR_RETURN(const auto carried, spool->replies().counts_of(channel.name));
      for_the_courier_ += carried.waiting + carried.active + carried.deferred;
    }
    still_to_send_ -= std::min(still_to_send_, for_the_courier_);
    const MutexLock lock(mutex_);
    if (error_) return failure(*error_);
    if (interrupted_) return hold("interrupted", "run again: nothing is lost");
    return {};
  }

  const Intake& intake() const { return intake_; }
  const ProcessorTotals& processed() const { return processed_; }
  const Dispatched& sent() const { return sent_; }
  // Answers that have not left, whichever run has tried.
  std::size_t still_to_send() const { return still_to_send_; }
  // Those that wait for people to carry them, which is no trouble.
  std::size_t for_the_courier() const { return for_the_courier_; }

 private:
  bool failed() {
    const MutexLock lock(mutex_);
    return error_.has_value();
  }

  // Jobs of either queue that this run has ended: so many there are, and each ends once.
  std::size_t ended() const {
    return processed_.answered + processed_.silent + processed_.held + sent_.sent + sent_.held;
  }

  // What a CA above has answered came in by the way out, when nobody processed any more.
  static Result<bool> has_work(JobQueue& requests) {
    ASSIGN_OR_RETURN(const auto counts, requests.counts());
    return counts.waiting > 0;
  }

  // A run waits for nobody: what has been collected for a CA above leaves with it.
  static Result<bool> wrap_batches(Spool& spool, Ledger& ledger,
                                   const ProcessorServices& services) {
    std::size_t count = 0;
    for (const auto& [name, channel] : services.channels) {
      if (channel.settings.direction != Direction::upstream) continue;
      ASSIGN_OR_RETURN(const auto wrapped, wrap_collected(ledger, services, channel));
      count += wrapped;
    }
    if (count > 0) TRY(tend_upstream(spool, ledger, services));
    return count > 0;
  }

  Result<void> run_stages(Spool& spool, Processor& processor, Dispatcher& dispatcher,
                          ProcessSignals& signals) {
    processed_all_ = dispatched_ = false;
    // Who ends tells the next one, so that nobody sleeps over the end of everything.
    ASSIGN_OR_RETURN(auto taking, start_thread([&](std::stop_token stop) {
                       if (!taken_in_) take_in(spool, std::move(stop));
                       spool.requests().end_wait();
                     }));
    ASSIGN_OR_RETURN(auto processing, start_thread([&](std::stop_token stop) {
                       process(processor, spool.requests(), std::move(stop));
                       spool.replies().end_wait();
                     }));
    ASSIGN_OR_RETURN(auto dispatching, start_thread([&](std::stop_token stop) {
                       dispatch(spool, dispatcher, std::move(stop));
                       signals.wake();
                     }));
    while (!dispatched_) {
      if (signals.wait(1s) != Asked::stop) continue;
      for (auto* thread : {&taking, &processing, &dispatching}) thread->request_stop();
      interrupted_ = true;
      break;
    }
    taking.request_stop();  // input may be waiting for room that a failed stage will not make
    taking.join();
    processing.join();
    dispatching.join();
    return {};
  }

  void take_in(Spool& spool, std::stop_token stop) {
    const auto ingresses = make_ingresses(instance_, spool, steady_);
    if (!ingresses) {
      note(ingresses.error());
      taken_in_ = true;
      return;
    }
    for (const auto& ingress : *ingresses) {
      const auto taken = take_all(*ingress, stop);
      auto& way = ways_.of(ingress->channel(), Way::in);
      if (taken) {
        intake_ += *taken;
        way.works(ingress->looked_at());
      } else {
        note(taken.error());
        way.rests(taken.error(), std::nullopt);
      }
    }
    taken_in_ = true;
  }

  void process(Processor& processor, JobQueue& requests, std::stop_token stop) {
    while (!stop.stop_requested()) {
      const bool last = taken_in_;
      const auto totals = processor.drain(stop);
      if (!totals) {
        note(totals.error());
        break;
      }
      add(*totals);
      if (last) break;
      if (!taken_in_) requests.wait_for_work(50ms);
    }
    processed_all_ = true;
  }

  // Nobody processes any more: what has come of sending has to be worked on before more of it may
  // come.
  Result<bool> is_all_sent(Spool& spool, Dispatcher& dispatcher) {
    if (!dispatcher.more_comes_soon()) return true;
    return has_work(spool.requests());
  }

  void dispatch(Spool& spool, Dispatcher& dispatcher, std::stop_token stop) {
    auto& replies = spool.replies();
    while (!stop.stop_requested()) {
      const bool last = processed_all_;
      const auto sent = send_all(dispatcher, stop);
      if (!sent) {
        note(sent.error());
        break;
      }
      sent_ += *sent;
      const auto all = last ? is_all_sent(spool, dispatcher) : Result<bool>(false);
      if (!all) note(all.error());
      if (!all || *all) break;
      if (last || !processed_all_) replies.wait_for_work(20ms);
    }
    dispatched_ = true;
  }

  void add(const ProcessorTotals& totals) {
    processed_.answered += totals.answered;
    processed_.refused += totals.refused;
    processed_.silent += totals.silent;
    processed_.held += totals.held;
    processed_.deferred += totals.deferred;
  }

  void note(const Error& error) {
    log::error("run.failed", {{"error", to_string(error)}});
    const MutexLock lock(mutex_);
    if (!error_) error_ = error;
  }

  Instance& instance_;
  const std::string digest_;
  SteadyClock steady_;
  WayBook ways_;
  SignOfLife life_;
  std::atomic<bool> taken_in_ = false, processed_all_ = false, dispatched_ = false;
  bool interrupted_ = false;
  std::size_t still_to_send_ = 0, for_the_courier_ = 0;
  Intake intake_;              // of the taking thread, until it is joined
  ProcessorTotals processed_;  // of the processing thread
  Dispatched sent_;            // of the dispatching thread
  Mutex mutex_;
  std::optional<Error> error_ GUARDED_BY(mutex_);
};

void print(const BatchRun& run, bool as_json) {
  if (as_json) {
    print_json({{"taken", run.intake().deposited},
                {"quarantined", run.intake().quarantined},
                {"answered", run.processed().answered},
                {"refused", run.processed().refused},
                {"held", run.processed().held},
                {"deferred", run.processed().deferred + run.sent().deferred},
                {"sent", run.sent().sent},
                {"still_to_send", run.still_to_send()},
                {"for_the_courier", run.for_the_courier()}});
    return;
  }
  print_line(
      "taken in " + std::to_string(run.intake().deposited) + ", answered " +
      std::to_string(run.processed().answered) + " (refused " +
      std::to_string(run.processed().refused) + "), sent " + std::to_string(run.sent().sent) +
      ", put aside " + std::to_string(run.intake().quarantined + run.processed().held) +
      (run.still_to_send() == 0 ? ""
                                : ", still to be sent " + std::to_string(run.still_to_send())) +
      (run.for_the_courier() == 0 ? ""
                                  : ", for the courier " + std::to_string(run.for_the_courier())));
}

Result<ExitCode> run(const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto signals, ProcessSignals::create(Asked::stop));
  ASSIGN_OR_RETURN(const auto file, find_config(common));
  const auto digest = digest_of_settings(file);
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  TRY(instance->refuse_open_secrets());
  BatchRun batch(*instance, digest);
  TRY(batch.work(*signals));
  if (!common.quiet || common.json) print(batch, common.json);
  // Requests may wait for it, and what is overdue does.
  ASSIGN_OR_RETURN(const auto clock, find_clock_notes(*instance));
  const bool all_well =
      std::ranges::none_of(clock, &ClockNote::urgent) &&
      batch.intake().quarantined + batch.intake().stuck == 0 &&
      batch.processed().refused + batch.processed().held + batch.processed().deferred == 0 &&
      batch.sent().held + batch.still_to_send() == 0;
  return all_well ? ExitCode::ok : ExitCode::partly;
}

}  // namespace

void add_run(CommandLine line) {
  auto* command =
      line.app.add_subcommand("run", "one batch: take in all that waits, answer it, exit");
  command->callback([line] { line.action = [common = &line.options] { return run(*common); }; });
}

}  // namespace cmpost
