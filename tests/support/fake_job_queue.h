// A JobQueue in memory, for tests of the stages beside it.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <map>

#include "base/clock.h"
#include "base/mutex.h"
#include "queue/job_queue.h"

namespace cmpost {

// Keeps the interface's promises but the one to survive loss of power. fail_with() makes every
// following call fail, as a full disk or a busy database does, until it is told to go on.
class FakeJobQueue final : public JobQueue {
 public:
  explicit FakeJobQueue(const Clock& clock) : clock_(clock) {}

  void fail_with(Error error) {
    const MutexLock lock(mutex_);
    trouble_ = std::move(error);
  }
  void go_on() {
    const MutexLock lock(mutex_);
    trouble_.reset();
  }

  Result<std::size_t> put(std::span<const Job> jobs) override {
    const MutexLock lock(mutex_);
    if (trouble_) return failure(*trouble_);
    ++puts_;
    std::size_t fresh = 0;
    for (const auto& job : jobs) fresh += store(job, JobState::waiting, "");
    work_.notify_all();
    return fresh;
  }

  Result<void> put_held(const Job& job, std::string_view reason) override {
    const MutexLock lock(mutex_);
    if (trouble_) return failure(*trouble_);
    store(job, JobState::held, reason);
    return {};
  }

  Result<std::vector<Lease>> take(std::size_t max) override {
    const MutexLock lock(mutex_);
    if (trouble_) return failure(*trouble_);
    std::vector<Lease> leases;
    for (const auto& id : order_) {
      auto& entry = jobs_.at(id);
      if (leases.size() == max) break;
      if (!due(entry)) continue;
      entry.state = JobState::active;
      leases.push_back({entry.job, ++entry.attempts, entry.arrived, entry.releases});
    }
    return leases;
  }

  Result<std::vector<Lease>> take_of(std::string_view channel, std::size_t max) override {
    const MutexLock lock(mutex_);
    if (trouble_) return failure(*trouble_);
    std::vector<Lease> leases;
    for (const auto& id : order_) {
      auto& entry = jobs_.at(id);
      if (leases.size() == max) break;
      const bool open = entry.state == JobState::waiting || entry.state == JobState::deferred;
      if (!open || entry.job.envelope.reply.channel != channel) continue;
      entry.state = JobState::active;
      leases.push_back({entry.job, ++entry.attempts, entry.arrived, entry.releases});
    }
    return leases;
  }
  Result<QueueCounts> counts_of(std::string_view channel) override {
    const MutexLock lock(mutex_);
    QueueCounts counts;
    for (const auto& id : order_) {
      const auto& entry = jobs_.at(id);
      if (entry.job.envelope.reply.channel != channel || entry.state == JobState::done) continue;
      ++(entry.state == JobState::waiting    ? counts.waiting
         : entry.state == JobState::active   ? counts.active
         : entry.state == JobState::deferred ? counts.deferred
                                             : counts.held);
      if (!counts.oldest) counts.oldest = entry.arrived;
    }
    return counts;
  }

  Result<void> finish(std::span<const JobId> ids, std::string_view reason) override {
    const MutexLock lock(mutex_);
    if (trouble_) return failure(*trouble_);
    for (const auto& id : ids) move(id, {JobState::active}, JobState::done, reason);
    return {};
  }
  Result<void> defer(const JobId& id, Time due, std::string_view reason) override {
    const MutexLock lock(mutex_);
    if (trouble_) return failure(*trouble_);
    if (move(id, {JobState::active}, JobState::deferred, reason)) jobs_.at(id).due = due;
    return {};
  }
  Result<void> defer_all(std::span<const JobId> ids, Time due, std::string_view reason) override {
    for (const auto& id : ids) TRY(defer(id, due, reason));
    return {};
  }
  Result<void> hold(const JobId& id, std::string_view reason) override {
    const MutexLock lock(mutex_);
    if (trouble_) return failure(*trouble_);
    move(id, {JobState::active}, JobState::held, reason);
    return {};
  }

  Result<bool> bounce(const JobId& id, std::string_view reason) override {
    const MutexLock lock(mutex_);
    if (trouble_) return failure(*trouble_);
    return move(id, {JobState::done}, JobState::held, reason);
  }

  Result<std::vector<JobStatus>> list(const JobFilter& filter) override {
    const MutexLock lock(mutex_);
    std::vector<JobStatus> found;
    auto order = order_;
    if (filter.newest_first) std::reverse(order.begin(), order.end());
    for (const auto& id : order) {
      const auto& entry = jobs_.at(id);
      if (filter.state && entry.state != *filter.state) continue;
      if (filter.channel && entry.job.envelope.channel != *filter.channel) continue;
      if (!filter.limit || found.size() < *filter.limit) found.push_back(status(entry));
    }
    return found;
  }
  Result<std::int64_t> for_each(
      const JobFilter& filter, const std::function<Result<void>(const JobStatus&)>& each) override {
    ASSIGN_OR_RETURN(const auto jobs, list(filter));
    for (const auto& job : jobs) TRY(each(job));
    ASSIGN_OR_RETURN(const auto all, list({.state = filter.state, .channel = filter.channel}));
    return static_cast<std::int64_t>(all.size());
  }
  Result<std::vector<JobId>> ids_beginning(std::string_view digits, std::size_t limit) override {
    const MutexLock lock(mutex_);
    std::vector<JobId> found;
    for (const auto& id : order_) {
      if (id.text().starts_with(digits) && found.size() < limit) found.push_back(id);
    }
    return found;
  }
  Result<std::optional<JobStatus>> find(const JobId& id) override {
    const MutexLock lock(mutex_);
    const auto found = jobs_.find(id);
    if (found == jobs_.end()) return std::nullopt;
    return status(found->second);
  }
  Result<Bytes> payload(const JobId& id) override {
    const MutexLock lock(mutex_);
    const auto found = jobs_.find(id);
    if (found == jobs_.end()) return cmpost::hold("no such job");
    return found->second.job.payload;
  }
  Result<std::optional<JobStatus>> newest_done(std::string_view reply_channel,
                                               std::string_view reason) override {
    const MutexLock lock(mutex_);
    std::optional<JobStatus> newest;
    for (const auto& id : order_) {
      const auto& entry = jobs_.at(id);
      const bool wanted = entry.state == JobState::done && entry.reason == reason &&
                          entry.job.envelope.reply.channel == reply_channel;
      if (wanted) newest = status(entry);
    }
    return newest;
  }
  Result<bool> retry(const JobId& id) override {
    const MutexLock lock(mutex_);
    return again(id, {JobState::deferred, JobState::held});
  }
  Result<bool> release(const JobId& id) override {
    const MutexLock lock(mutex_);
    return again(id, {JobState::held});
  }
  Result<bool> drop(const JobId& id, std::string_view reason) override {
    const MutexLock lock(mutex_);
    return move(id, {JobState::waiting, JobState::deferred, JobState::held}, JobState::done,
                reason);
  }
  Result<QueueCounts> counts() override {
    const MutexLock lock(mutex_);
    QueueCounts counts;
    for (const auto& [id, entry] : jobs_) {
      ++*std::array{&counts.waiting, &counts.active, &counts.deferred, &counts.held,
                    &counts.done}[static_cast<std::size_t>(entry.state)];
      if (entry.state == JobState::done) continue;
      counts.oldest = std::min(counts.oldest.value_or(entry.arrived), entry.arrived);
    }
    return counts;
  }
  Result<std::size_t> hanging() override { return std::size_t{0}; }
  Result<std::size_t> pending(std::string_view channel) override {
    const MutexLock lock(mutex_);
    if (trouble_) return failure(*trouble_);
    return static_cast<std::size_t>(
        std::count_if(jobs_.begin(), jobs_.end(), [&](const auto& entry) {
          const auto state = entry.second.state;
          return entry.second.job.envelope.channel == channel && state != JobState::held &&
                 state != JobState::done;
        }));
  }
  Result<std::size_t> wake(std::string_view channel) override {
    const MutexLock lock(mutex_);
    if (trouble_) return failure(*trouble_);
    std::size_t woken = 0;
    for (const auto& id : order_) {
      if (jobs_.at(id).job.envelope.reply.channel == channel) {
        woken += move(id, {JobState::deferred}, JobState::waiting, "");
      }
    }
    return woken;
  }
  Result<std::size_t> purge(Time before) override {
    const MutexLock lock(mutex_);
    const auto old = [&](const JobId& id) REQUIRES(mutex_) {
      const auto& entry = jobs_.at(id);
      return entry.state == JobState::done && entry.ended < before;
    };
    std::vector<JobId> gone;
    std::copy_if(order_.begin(), order_.end(), std::back_inserter(gone), old);
    order_.erase(std::remove_if(order_.begin(), order_.end(), old), order_.end());
    for (const auto& id : gone) jobs_.erase(id);
    return gone.size();
  }
  void wait_for_work(Duration time_out) override {
    MutexLock lock(mutex_);
    work_.wait_for(lock, time_out, [this]() REQUIRES(mutex_) {
      return wait_ended_ || std::any_of(jobs_.begin(), jobs_.end(),
                                        [this](const auto& entry) { return due(entry.second); });
    });
    wait_ended_ = false;
  }
  void end_wait() override {
    {
      const MutexLock lock(mutex_);
      wait_ended_ = true;
    }
    work_.notify_all();
  }

  // How many calls of put() stored something or nothing: the groups.
  std::size_t puts() const {
    const MutexLock lock(mutex_);
    return puts_;
  }

 private:
  struct Entry {
    Job job;
    JobState state = JobState::waiting;
    int attempts = 0;
    Time arrived{}, due{}, ended{};
    std::string reason;
    int releases = 0;
  };

  bool due(const Entry& entry) const {
    return entry.state == JobState::waiting ||
           (entry.state == JobState::deferred && entry.due <= clock_.now());
  }
  bool store(const Job& job, JobState state, std::string_view reason) REQUIRES(mutex_) {
    const Entry entry{job, state, 0, clock_.now(), {}, {}, std::string(reason), 0};
    if (!jobs_.emplace(job.id, entry).second) return false;
    order_.push_back(job.id);
    return true;
  }
  bool move(const JobId& id, std::initializer_list<JobState> from, JobState to,
            std::string_view reason) REQUIRES(mutex_) {
    const auto found = jobs_.find(id);
    if (found == jobs_.end()) return false;
    auto& entry = found->second;
    if (std::find(from.begin(), from.end(), entry.state) == from.end()) return false;
    entry.state = to;
    entry.reason = reason;
    if (to == JobState::done) entry.ended = clock_.now();
    if (to == JobState::waiting) work_.notify_all();
    return true;
  }
  bool again(const JobId& id, std::initializer_list<JobState> from) REQUIRES(mutex_) {
    const auto found = jobs_.find(id);
    const bool held = found != jobs_.end() && found->second.state == JobState::held;
    if (!move(id, from, JobState::waiting, "")) return false;
    found->second.attempts = 0;
    found->second.releases += held;
    return true;
  }
  static JobStatus status(const Entry& entry) {
    const bool done = entry.state == JobState::done;
    return {entry.job.id,
            entry.job.envelope,
            entry.state,
            entry.attempts,
            entry.arrived,
            entry.due,
            entry.reason,
            entry.job.payload.size(),
            done ? std::optional(entry.ended) : std::nullopt};
  }

  const Clock& clock_;
  mutable Mutex mutex_;
  std::condition_variable_any work_;
  bool wait_ended_ GUARDED_BY(mutex_) = false;
  std::map<JobId, Entry> jobs_ GUARDED_BY(mutex_);
  std::vector<JobId> order_ GUARDED_BY(mutex_);  // of arrival
  std::optional<Error> trouble_ GUARDED_BY(mutex_);
  std::size_t puts_ GUARDED_BY(mutex_) = 0;
};

}  // namespace cmpost
