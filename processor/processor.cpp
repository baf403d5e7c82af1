#include "processor/processor.h"

#include <algorithm>
#include <chrono>
#include <span>
#include <thread>
#include <utility>

#include "base/at_work.h"
#include "base/log.h"
#include "base/pause.h"
#include "processor/commit_thread.h"
#include "processor/dialogue/nested.h"
#include "processor/group_source.h"
#include "processor/worker_pool.h"

namespace cmpost {
namespace {

// A request that was leased this often and never ended waits for an operator; see GroupSource.
constexpr int kMaxAttempts = 100;
constexpr auto kIdle = std::chrono::seconds(1);
constexpr auto kGivenBackFor = std::chrono::seconds(10);

std::size_t worker_count(const ProcessorSettings& settings) {
  return settings.workers != 0 ? settings.workers
                               : std::max<std::size_t>(std::thread::hardware_concurrency(), 1);
}

}  // namespace

void ProcessorTotals::add(const ProcessorTotals& more) {
  answered += more.answered;
  refused += more.refused;
  silent += more.silent;
  held += more.held;
  deferred += more.deferred;
  contested += more.contested;
}

// Two groups are in the works at any time: one with the workers, one with the committing thread.
class Processor::Pipeline {
 public:
  Pipeline(Spool& spool, Ledger& ledger, ProcessorServices services, ProcessorSettings settings,
           std::vector<std::unique_ptr<LedgerReader>> readers, std::unique_ptr<WorkerPool> pool,
           std::function<void()> after_revocation)
      : spool_(spool),
        services_(services),
        settings_(settings),
        readers_(std::move(readers)),
        pool_(std::move(pool)),
        source_(spool, services_, settings_.group),
        commits_(GroupCommit(spool, ledger, services_, std::move(after_revocation)),
                 settings_.on_commit, settings_.on_committed) {}

  // `patient`: go on for ever, also while there is nothing to do or the databases are in trouble.
  Result<ProcessorTotals> work(const std::stop_token& stop, bool patient) {
    closed_ = false;
    TRY(commits_.start(stop, patient));
    while (!stop.stop_requested() && work_on_next(stop, patient)) {
    }
    commits_.finish();
    const auto error = commits_.error();
    if (stop.stop_requested()) {
      give_back(services_.likely.now(), "the service was stopped");
    } else if (closed_) {
      give_back(services_.likely.now(), "the run was stopped");
    } else if (error) {
      give_back(services_.likely.now() + kGivenBackFor, to_string(*error));
    }
    if (error) return failure(*error);
    return commits_.totals();
  }

 private:
  // False: that was all.
  bool work_on_next(const std::stop_token& stop, bool patient) {
    source_.add_redo(commits_.take_redo());
    auto leases = source_.next();
    if (!leases) {
      if (!patient) {
        commits_.fail(leases.error());
        return false;
      }
      tell_take(leases.error());
      return pause(kIdle, stop);
    }
    tell_take(std::nullopt);
    if (!leases->empty()) {
      think(source_.begin(std::move(*leases)));
      return !closed_ && !commits_.error();
    }
    if (has_returned()) return true;
    if (patient) source_.wait(stop);
    return patient;
  }

  // What came too early has another chance when everything before it is done.
  bool has_returned() {
    if (!commits_.wait_until_committed()) return false;
    source_.add_redo(commits_.take_redo());
    const bool more = commits_.take_more();
    if (!source_.has_returned()) source_.add_early(commits_.take_early());
    return more || source_.has_returned();
  }

  // In the log when it begins, changes and ends.
  void tell_take(const std::optional<Error>& trouble) {
    if (settings_.on_take) settings_.on_take(trouble);
    const auto what = trouble ? trouble->what : std::string();
    if (std::exchange(take_trouble_, what) == what) return;
    trouble ? log::error("spool.trouble", {{"error", to_string(*trouble)}})
            : log::info("spool.recovered");
  }

  using Batches = std::vector<std::unique_ptr<Nested>>;  // one for each of a group, or nullptr
  struct Part {
    Nested* batch;
    std::size_t index;  // for Nested::check() that of a part, for answer() that of a member
  };

  // Works on a group and hands it over to the committing thread. What the members of batches change
  // is written while others are still answered, so they come last; where the group is meanwhile,
  // its elements stay in their places.
  void think(Group group) {
    const std::span items(group);
    Batches batches(group.size());
    begin_snapshots();
    pool_->run(
        group.size(),
        [&](std::size_t worker, std::size_t i) {
          batches[i] = work_on(items[i], *readers_[worker]);
        },
        [&] { look_ahead(group.size()); });
    const auto members = check_parts(items, batches);
    if (members.empty()) end_snapshots();
    if (!may_commit()) {
      commits_.turn_away(group);
    } else if (commits_.hand_over(group)) {
      answer_members(items, batches, members);
    }
    end_snapshots();
  }

  bool may_commit() {
    if (!settings_.may_commit || !commits_.wait_until_committed()) return true;
    closed_ = !settings_.may_commit();
    return !closed_;
  }

  // Leases the next group while the workers have this one, so that they need not wait for it.
  void look_ahead(std::size_t group) {
    if (group < settings_.group) return;
    source_.add_redo(commits_.take_redo());
    source_.look_ahead();
  }

  // The nested message that is begun, if it is one; else all is done.
  std::unique_ptr<Nested> work_on(WorkedOn& item, LedgerReader& ledger) {
    if (item.lease.attempts > kMaxAttempts) {
      item.decision = hold("worked on " + std::to_string(kMaxAttempts) + " times without an end",
                           "look into the log, then `cmpost queue retry` or `drop` it");
    } else if (item.contest.is_decided_alone()) {
      return nullptr;  // by the committing thread
    } else if (is_batch(item.lease, services_)) {
      auto nested = std::make_unique<Nested>(item.lease, item.turn, services_, item.contest);
      nested->open();
      return nested;
    } else {
      item.decision = respond(item.lease, ledger, services_, item.turn);
    }
    return nullptr;
  }

  // The parts of all batches of a group are shared among the workers like single requests; gives
  // the members to be answered.
  std::vector<Part> check_parts(std::span<WorkedOn> items, const Batches& batches) {
    std::vector<Part> parts;
    for (const auto& batch : batches) {
      for (std::size_t i = 0; batch && i < batch->parts(); ++i) parts.push_back({batch.get(), i});
    }
    for_each(parts,
             [](const Part& one, LedgerReader& ledger) { one.batch->check(one.index, ledger); });
    std::vector<Part> members;
    for (std::size_t i = 0; i < items.size(); ++i) {
      auto* const batch = batches[i].get();
      if (batch == nullptr) continue;
      batch->judge();
      items[i].members = batch->changes();
      for (std::size_t member = 0; member < batch->size(); ++member) {
        if (!batch->changes()->is_late(member)) members.push_back({batch, member});
      }
    }
    return members;
  }

  void answer_members(std::span<WorkedOn> items, const Batches& batches,
                      const std::vector<Part>& members) {
    for_each(members,
             [](const Part& one, LedgerReader& ledger) { one.batch->answer(one.index, ledger); });
    for (std::size_t i = 0; i < batches.size(); ++i) {
      if (!batches[i]) continue;
      items[i].decision = batches[i]->close(*readers_.front());
      batches[i]->changes()->end();
    }
  }

  void for_each(const std::vector<Part>& parts,
                const std::function<void(const Part&, LedgerReader&)>& work) {
    pool_->run(
        parts.size(), [&](std::size_t worker, std::size_t i) { work(parts[i], *readers_[worker]); },
        [] {});
  }

  // One snapshot of the ledger for a group, instead of a look for news before each statement. What
  // it misses is found at the commit, as with the group that is being committed meanwhile. Where it
  // cannot be had the statements themselves will say so.
  void begin_snapshots() {
    for (const auto& reader : readers_) (void)reader->connection().begin_read();
  }
  // By rollback, which cannot fail: a reader that stayed behind would see the old state for ever.
  void end_snapshots() {
    for (const auto& reader : readers_) {
      if (reader->connection().in_transaction()) reader->connection().rollback();
    }
  }

  // What is leased and will not be worked on: its leases last as long as the process.
  void give_back(Time due, const std::string& why) {
    auto ids = commits_.give_up();
    for (auto& id : source_.give_up()) ids.push_back(std::move(id));
    if (ids.empty()) return;
    const auto done = spool_.requests().defer_all(ids, due, why);
    if (!done) log::error("requests.not_given_back", {{"error", to_string(done.error())}});
  }

  Spool& spool_;
  const ProcessorServices services_;
  const ProcessorSettings settings_;
  std::vector<std::unique_ptr<LedgerReader>> readers_;  // one per worker
  std::unique_ptr<WorkerPool> pool_;
  GroupSource source_;
  CommitThread commits_;
  bool closed_ = false;       // by `may_commit`
  std::string take_trouble_;  // what was told last; empty: none
};

Processor::Processor(std::unique_ptr<Pipeline> pipeline) : pipeline_(std::move(pipeline)) {}
Processor::~Processor() = default;

Result<std::unique_ptr<Processor>> Processor::create(Spool& spool, Ledger& ledger,
                                                     ProcessorServices services,
                                                     ProcessorSettings settings,
                                                     std::function<void()> after_revocation) {
  std::vector<std::unique_ptr<LedgerReader>> readers;
  for (std::size_t i = 0; i < worker_count(settings); ++i) {
    ASSIGN_OR_RETURN(auto reader, ledger.reader());
    readers.push_back(std::move(reader));
  }
  ASSIGN_OR_RETURN(auto pool, WorkerPool::create(readers.size()));
  return std::unique_ptr<Processor>(new Processor(
      std::make_unique<Pipeline>(spool, ledger, services, settings, std::move(readers),
                                 std::move(pool), std::move(after_revocation))));
}

Result<ProcessorTotals> Processor::drain(std::stop_token stop) {
  const AtWork at_work("processing requests");
  return pipeline_->work(stop, false);
}

void Processor::run(std::stop_token stop) {
  const AtWork at_work("processing requests");
  while (!stop.stop_requested()) {
    const auto worked = pipeline_->work(stop, true);
    if (worked) return;
    log::error("processor.stopped", {{"error", to_string(worked.error())}});
    pause(kIdle, stop);
  }
}

}  // namespace cmpost
