#include "processor/processor.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <thread>

#include "base/at_work.h"
#include "base/log.h"
#include "base/pause.h"
#include "base/start_thread.h"
#include "processor/commit.h"
#include "processor/dialogue/nested.h"
#include "processor/worker_pool.h"

namespace cmpost {
namespace {

// A request that was leased this often and never ended may be what kills the process: it gets a
// group of its own, so that it takes nobody with it, and later waits for an operator.
constexpr int kSuspectAttempts = 10;
constexpr int kMaxAttempts = 100;
constexpr int kCommitTries = 5;
constexpr auto kCommitPause = std::chrono::milliseconds(500);
constexpr auto kIdle = std::chrono::seconds(1);
constexpr auto kGivenBackFor = std::chrono::seconds(10);

std::size_t worker_count(const ProcessorSettings& settings) {
  return settings.workers != 0 ? settings.workers
                               : std::max<std::size_t>(std::thread::hardware_concurrency(), 1);
}

}  // namespace

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
        group_commit_(spool, ledger, services_, std::move(after_revocation)) {}

  // `patient`: go on for ever, also while there is nothing to do or the databases are in trouble.
  Result<ProcessorTotals> work(std::stop_token stop, bool patient) {
    patient_ = patient;
    totals_ = {};
    error_.reset();
    ASSIGN_OR_RETURN(auto committer, start_thread([this, stop](std::stop_token end) {
                       serve_commits(std::move(end), stop);
                     }));
    while (!stop.stop_requested()) {
      auto leases = ahead_ ? std::move(*std::exchange(ahead_, {})) : next_group();
      if (!leases) {
        if (!patient) {
          fail(leases.error());
          break;
        }
        tell_take(leases.error());
        if (!pause(kIdle, stop)) break;
        continue;
      }
      tell_take(std::nullopt);
      if (leases->empty()) {
        if (wait_until_committed() && (has_redo() || has_early())) continue;
        if (!patient) break;
        is_before_the_ca() ? void(pause(kIdle, stop)) : spool_.requests().wait_for_work(kIdle);
        continue;
      }
      think(std::move(*leases));
      if (failed()) break;
    }
    wait_until_committed();
    committer.request_stop();
    committer.join();
    if (stop.stop_requested()) {
      give_back(services_.likely.now(), "the service was stopped");
    } else if (error_) {
      give_back(services_.likely.now() + kGivenBackFor, to_string(*error_));
    }
    if (!error_) return totals_;
    return failure(*error_);
  }

 private:
  Result<std::vector<Lease>> next_group() {
    {
      const std::lock_guard lock(mutex_);
      if (!redo_.empty()) return take_redo();
    }
    if (!again_.empty()) return std::exchange(again_, {});
    if (!suspects_.empty()) {
      std::vector<Lease> one{std::move(suspects_.back())};
      suspects_.pop_back();
      return one;
    }
    if (is_before_the_ca()) return std::vector<Lease>();
    ASSIGN_OR_RETURN(auto leases, spool_.requests().take(settings_.group));
    const auto suspicious = std::ranges::stable_partition(
        leases, [](const Lease& lease) { return lease.attempts <= kSuspectAttempts; });
    suspects_.assign(std::make_move_iterator(suspicious.begin()),
                     std::make_move_iterator(suspicious.end()));
    leases.erase(suspicious.begin(), suspicious.end());
    if (leases.empty() && !suspects_.empty()) return next_group();
    return leases;
  }

  // By a clock that says so nothing can be issued, and no answer be dated: requests wait until
  // somebody has put it right.
  bool is_before_the_ca() {
    const auto begin = services_.role.begins();
    const auto now = services_.clock.now();
    const bool before = now < begin;
    if (before && !told_before_) {
      log::error("clock.before_ca",
                 {{"clock", to_iso8601(now)},
                  {"reason", "the CA certificate begins later; requests wait"},
                  {"hint", "put the clock of this machine right, then see `cmpost clock`"}});
    }
    told_before_ = before;
    return before;
  }

  std::vector<Lease> take_redo() {  // REQUIRES(mutex_)
    std::vector<Lease> leases;
    for (auto& redo : redo_) {
      contests_.insert_or_assign(redo.lease.job.id, std::move(redo.contest));
      leases.push_back(std::move(redo.lease));
    }
    redo_.clear();
    return leases;
  }

  // In the log when it begins, changes and ends.
  void tell_take(const std::optional<Error>& trouble) {
    if (settings_.on_take) settings_.on_take(trouble);
    const auto what = trouble ? trouble->what : std::string();
    if (std::exchange(take_trouble_, what) == what) return;
    trouble ? log::error("spool.trouble", {{"error", to_string(*trouble)}})
            : log::info("spool.recovered");
  }

  void tell_commit(const std::optional<Error>& trouble) const {
    if (settings_.on_commit) settings_.on_commit(trouble);
  }

  using Batches = std::vector<std::unique_ptr<Nested>>;  // one for each of a group, or nullptr
  struct Part {
    Nested* batch;
    std::size_t index;  // for Nested::check() that of a part, for answer() that of a member
  };

  // Works on a group and hands it over to the committing thread. What the members of batches change
  // is written while others are still answered, so they come last; where the group is meanwhile,
  // its elements stay in their places.
  void think(std::vector<Lease> leases) {
    Group group(leases.size());
    for (std::size_t i = 0; i < leases.size(); ++i) {
      if (seen_.erase(leases[i].job.id) > 0) group[i].turn = Turn::again;
      if (const auto contest = contests_.extract(leases[i].job.id)) {
        group[i].contest = contest.mapped();
      }
      group[i].lease = std::move(leases[i]);
    }
    const std::span items(group);
    Batches batches(group.size());
    begin_snapshots();
    pool_->run(
        group.size(),
        [&](std::size_t worker, std::size_t i) {
          batches[i] = work_on(items[i], *readers_[worker]);
        },
        [&] { look_ahead(group); });
    const auto members = check_parts(items, batches);
    if (members.empty()) end_snapshots();
    if (hand_over(group)) {
      answer_members(items, batches, members);
    } else {
      const std::lock_guard lock(mutex_);
      abandon(group);
    }
    end_snapshots();
  }

  // The nested message that is begun, if it is one; else all is done.
  std::unique_ptr<Nested> work_on(WorkedOn& item, LedgerReader& ledger) {
    if (item.lease.attempts > kMaxAttempts) {
      item.decision = hold("worked on " + std::to_string(kMaxAttempts) + " times without an end",
                           "look into the log, then `cmpost queue retry` or `drop` it");
    } else if (item.contest.is_decided_alone()) {
      return nullptr;  // by the committing thread
    } else if (is_nested(item.lease.job.payload)) {
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

  // Leases the next group while the workers have this one, so that they need not wait for it.
  void look_ahead(const Group& group) {
    if (group.size() < settings_.group || !suspects_.empty()) return;
    auto leases = next_group();
    if (!leases || !leases->empty()) ahead_ = std::move(leases);
  }

  // False: nothing is committed any more, and the group is as it was.
  bool hand_over(Group& group) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !waiting_ || error_; });
    if (error_) return false;
    waiting_ = std::move(group);
    changed_.notify_all();
    return true;
  }

  bool wait_until_committed() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return (!waiting_ && !committing_) || error_; });
    return !error_;
  }

  bool has_redo() {
    const std::lock_guard lock(mutex_);
    return !redo_.empty();
  }

  // What came too early has another chance when everything before it is done.
  bool has_early() {
    const std::lock_guard lock(mutex_);
    again_ = std::exchange(early_, {});
    for (const auto& lease : again_) seen_.insert(lease.job.id);
    return !again_.empty();
  }

  void fail(const Error& error) {
    const std::lock_guard lock(mutex_);
    error_ = error;
  }

  bool failed() {
    const std::lock_guard lock(mutex_);
    return error_.has_value();
  }

  void serve_commits(std::stop_token end, std::stop_token stop) {
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, end, [&] { return waiting_.has_value(); })) {
      auto group = std::move(*waiting_);
      waiting_.reset();
      committing_ = true;
      changed_.notify_all();
      lock.unlock();
      auto committed = commit(group, stop);
      lock.lock();
      committing_ = false;
      if (committed) {
        note(std::move(*committed));
      } else {
        error_ = std::move(committed).error();
        abandon(group);
        give_up_waiting();
      }
      changed_.notify_all();
      if (error_) return;
    }
  }

  void abandon(const Group& group) {  // REQUIRES(mutex_)
    for (const auto& item : group) abandoned_.push_back(item.lease.job.id);
  }

  // What is leased and will not be worked on: its leases last as long as the process.
  void give_back(Time due, const std::string& why) {
    const std::lock_guard lock(mutex_);
    auto ids = std::exchange(abandoned_, {});
    const auto add = [&](std::vector<Lease>&& leases) {
      for (const auto& lease : leases) ids.push_back(lease.job.id);
    };
    if (waiting_) {
      for (const auto& item : *waiting_) ids.push_back(item.lease.job.id);
      waiting_.reset();
    }
    add(take_redo());
    for (auto* leases : {&early_, &again_, &suspects_}) add(std::exchange(*leases, {}));
    if (ahead_ && *ahead_) add(std::move(**ahead_));
    ahead_.reset();
    contests_.clear();
    seen_.clear();
    if (ids.empty()) return;
    const auto done = spool_.requests().defer_all(ids, due, why);
    if (!done) log::error("requests.not_given_back", {{"error", to_string(done.error())}});
  }

  // Nobody will commit it, or answer the late members of its batches.
  void give_up_waiting() {  // REQUIRES(mutex_)
    if (!waiting_) return;
    for (const auto& item : *waiting_) {
      if (item.members) item.members->end_late();
    }
  }

  // A full disk or a busy database is waited out: the group stays leased and nothing has left.
  Result<Committed> commit(Group& group, std::stop_token stop) {
    for (int tries = 1;; ++tries) {
      auto committed = group_commit_.commit(group);
      tell_commit(committed ? std::nullopt : std::optional(committed.error()));
      if (committed) return committed;
      const auto& error = committed.error();
      log::error("commit.failed", {{"jobs", group.size()}, {"error", to_string(error)}});
      const bool again = error.recovery == Recovery::retry && (patient_ || tries < kCommitTries);
      if (!again || !pause(kCommitPause * std::min(tries, 20), stop)) return committed;
    }
  }

  void note(Committed&& committed) {  // REQUIRES(mutex_)
    totals_.answered += committed.answered;
    totals_.refused += committed.refused;
    totals_.silent += committed.silent;
    totals_.held += committed.held;
    totals_.deferred += committed.deferred;
    totals_.contested += committed.contested;
    redo_.insert(redo_.end(), std::make_move_iterator(committed.redo.begin()),
                 std::make_move_iterator(committed.redo.end()));
    early_.insert(early_.end(), std::make_move_iterator(committed.early.begin()),
                  std::make_move_iterator(committed.early.end()));
    if (committed.answered > 0) {
      log::info("group.answered",
                {{"answered", committed.answered}, {"refused", committed.refused}});
    }
  }

  Spool& spool_;
  const ProcessorServices services_;
  const ProcessorSettings settings_;
  std::vector<std::unique_ptr<LedgerReader>> readers_;  // one per worker
  std::unique_ptr<WorkerPool> pool_;
  GroupCommit group_commit_;
  bool patient_ = false;
  std::string take_trouble_;  // what was told last; empty: none
  bool told_before_ = false;
  std::vector<Lease> suspects_;
  std::vector<Lease> again_;                         // came too early the first time
  std::set<JobId> seen_;                             // those of them that are not worked on yet
  std::map<JobId, Contest> contests_;                // of leases that are to be worked on again
  std::optional<Result<std::vector<Lease>>> ahead_;  // leased, the next to be worked on

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<Group> waiting_;  // GUARDED_BY(mutex_): worked on, not yet committed
  bool committing_ = false;       // GUARDED_BY(mutex_)
  std::vector<Redo> redo_;        // GUARDED_BY(mutex_)
  std::vector<Lease> early_;      // GUARDED_BY(mutex_)
  std::vector<JobId> abandoned_;  // GUARDED_BY(mutex_): leased, and not worked on any more
  ProcessorTotals totals_;        // GUARDED_BY(mutex_)
  std::optional<Error> error_;    // GUARDED_BY(mutex_)
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
  return pipeline_->work(std::move(stop), false);
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
