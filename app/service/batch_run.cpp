#include "app/service/batch_run.h"

#include <algorithm>
#include <thread>

#include "app/instance/operator_act.h"
#include "app/instance/own_renewal.h"
#include "app/service/channels.h"
#include "base/log.h"
#include "base/pause.h"
#include "base/start_thread.h"
#include "processor/upstream_timers.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kGroup = 500;

// What a CA above has answered came in by the way out, when nobody processed any more.
Result<bool> has_work(JobQueue& requests) {
  ASSIGN_OR_RETURN(const auto counts, requests.counts());
  return counts.waiting > 0;
}

// A run waits for nobody: what has been collected for a CA above leaves with it.
Result<bool> wrap_batches(Spool& spool, Ledger& ledger, const ProcessorServices& services) {
  std::size_t count = 0;
  for (const auto& [name, channel] : services.channels) {
    if (channel.settings.direction != Direction::upstream) continue;
    ASSIGN_OR_RETURN(const auto wrapped, wrap_collected(ledger, services, channel));
    count += wrapped;
  }
  if (count > 0) TRY(tend_upstream(spool, ledger, services));
  return count > 0;
}

}  // namespace

BatchRun::BatchRun(Instance& instance, std::string digest, BatchLimits limits)
    : instance_(instance),
      digest_(std::move(digest)),
      limits_(std::move(limits)),
      ways_(instance.settings().instance.state, instance.clock()),
      life_(instance.settings().instance.state, {kStages.begin(), kStages.end()},
            SignOfLife::Kind::run, instance.clock()),
      taken_in_(!limits_.take_in),
      progress_(steady_) {}

Result<void> BatchRun::work(ProcessSignals& signals) {
  ASSIGN_OR_RETURN(auto* const spool, instance_.spool());
  ASSIGN_OR_RETURN(auto* const ledger, instance_.ledger());
  TRY(settle_own_certificate(instance_));
  TRY(recall_former_certificates(instance_));
  ASSIGN_OR_RETURN(const auto services, instance_.services());
  TRY(record_settings(instance_, digest_));
  auto& maintenance = ways_.of(Part::maintenance);
  if (const auto done = maintain(instance_); !done) {
    maintenance.rests(done.error(), std::nullopt);
    return failure(done.error());
  }
  maintenance.works();
  ASSIGN_OR_RETURN(auto processor,
                   Processor::create(*spool, *ledger, services, processor_settings(), [this] {
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
  } while (more && !interrupted_ && !stopped_ && !failed());
  if (!instance_.is_ca()) TRY(tend_upstream(*spool, *ledger, services));
  TRY(count_what_stays(*spool));
  const MutexLock lock(mutex_);
  if (error_) return failure(*error_);
  if (interrupted_) return hold("interrupted", "run again: nothing is lost");
  return {};
}

Result<void> BatchRun::count_what_stays(Spool& spool) {
  const auto open = [](const QueueCounts& counts) {
    return counts.waiting + counts.active + counts.deferred;
  };
  std::size_t of_scope = 0;
  for (const auto& channel : instance_.settings().channels) {
    if (!instance_.scope().has(channel.name)) continue;
    ASSIGN_OR_RETURN(const auto counts, spool.replies().counts_of(channel.name));
    (channel.courier() != nullptr ? for_the_courier_ : of_scope) += open(counts);
  }
  still_to_send_ = of_scope;
  if (instance_.scope().which != ChannelScope::Which::all) return {};
  // Also of channels that are not in the settings any more.
  ASSIGN_OR_RETURN(const auto all, spool.replies().counts());
  still_to_send_ = open(all) - std::min(open(all), for_the_courier_);
  return {};
}

ProcessorSettings BatchRun::processor_settings() {
  const auto workers = static_cast<std::size_t>(instance_.settings().instance.workers);
  auto settings = settings_for(workers, ways_);
  if (limits_.rate) {
    settings.group = static_cast<std::size_t>(std::clamp(*limits_.rate, 1.0, double{kGroup}));
  }
  settings.on_committed = [this](const ProcessorTotals& group) {
    done_ += group.answered + group.silent + group.held;
    refused_ += group.refused;
  };
  if (limits_.rate || limits_.stop_reason) settings.may_commit = [this] { return may_commit(); };
  return settings;
}

bool BatchRun::may_commit() {
  if (!keep_pace()) return false;
  if (!limits_.stop_reason) return true;
  auto reason = limits_.stop_reason();
  if (!reason) {
    note(reason.error());
    return false;
  }
  if (!*reason) return true;
  stopped_for_ = std::move(*reason);
  stopped_ = true;
  return false;
}

// A group is what one second, or one request, may take. False: there is no time for it any more.
bool BatchRun::keep_pace() {
  if (!limits_.rate) return true;
  const auto now = steady_.now();
  if (now < next_group_ && !pause(next_group_ - now, processing_)) return false;
  const auto group = std::clamp(*limits_.rate, 1.0, double{kGroup});
  const auto each = std::chrono::duration<double>(group / *limits_.rate);
  next_group_ = steady_.now() + std::chrono::duration_cast<Duration>(each);
  return true;
}

bool BatchRun::failed() {
  const MutexLock lock(mutex_);
  return error_.has_value();
}

// Jobs of either queue that this run has ended: so many there are, and each ends once.
std::size_t BatchRun::ended() const {
  return processed_.answered + processed_.silent + processed_.held + sent_.sent + sent_.held;
}

Result<void> BatchRun::run_stages(Spool& spool, Processor& processor, Dispatcher& dispatcher,
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
    if (stopped_) taking.request_stop();
    if (signals.wait(1s) != Asked::stop) {
      TRY(tell_progress(spool));
      continue;
    }
    for (auto* thread : {&taking, &processing, &dispatching}) thread->request_stop();
    interrupted_ = true;
    break;
  }
  taking.request_stop();  // input may be waiting for room that a failed stage will not make
  taking.join();
  processing.join();
  dispatching.join();
  progress_.end();
  return {};
}

Result<void> BatchRun::tell_progress(Spool& spool) {
  if (limits_.quiet) return {};
  ASSIGN_OR_RETURN(const auto requests, spool.requests().counts());
  ASSIGN_OR_RETURN(const auto replies, spool.replies().counts());
  progress_.tell({done_, refused_, requests.waiting + requests.active,
                  replies.waiting + replies.active, taken_in_});
  return {};
}

void BatchRun::take_in(Spool& spool, std::stop_token stop) {
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
      a_way_rests_ = true;
      if (!limits_.channels_may_rest) note(taken.error());
      way.rests(taken.error(), std::nullopt);
    }
  }
  taken_in_ = true;
}

void BatchRun::process(Processor& processor, JobQueue& requests, std::stop_token stop) {
  processing_ = stop;
  while (!stop.stop_requested()) {
    const bool last = taken_in_;
    const auto totals = processor.drain(stop);
    if (!totals) {
      note(totals.error());
      break;
    }
    processed_.add(*totals);
    if (last || stopped_) break;
    if (!taken_in_) requests.wait_for_work(50ms);
  }
  processed_all_ = true;
}

// Nobody processes any more: what has come of sending has to be worked on before more of it may
// come.
Result<bool> BatchRun::is_all_sent(Spool& spool, Dispatcher& dispatcher) {
  if (!dispatcher.more_comes_soon()) return true;
  return has_work(spool.requests());
}

void BatchRun::dispatch(Spool& spool, Dispatcher& dispatcher, std::stop_token stop) {
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

void BatchRun::note(const Error& error) {
  log::error("run.failed", {{"error", to_string(error)}});
  const MutexLock lock(mutex_);
  if (!error_) error_ = error;
}

}  // namespace cmpost
