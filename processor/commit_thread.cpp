#include "processor/commit_thread.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "base/log.h"
#include "base/pause.h"
#include "base/start_thread.h"

namespace cmpost {
namespace {

constexpr int kCommitTries = 5;
constexpr auto kCommitPause = std::chrono::milliseconds(500);

template <typename T>
void append_moved(std::vector<T>& target, std::vector<T>&& more) {
  target.insert(target.end(), std::make_move_iterator(more.begin()),
                std::make_move_iterator(more.end()));
}

}  // namespace

Result<void> CommitThread::start(std::stop_token stop, bool patient) {
  {
    const MutexLock lock(mutex_);
    totals_ = {};
    error_.reset();
  }
  ASSIGN_OR_RETURN(thread_, start_thread([this, stop = std::move(stop), patient](
                                             std::stop_token end) { serve(end, stop, patient); }));
  return {};
}

void CommitThread::finish() {
  (void)wait_until_committed();
  thread_.request_stop();
  thread_.join();
}

bool CommitThread::hand_over(Group& group) {
  MutexLock lock(mutex_);
  while (waiting_ && !error_) changed_.wait(lock);
  if (error_) {
    abandon(group);
    return false;
  }
  waiting_ = std::move(group);
  changed_.notify_all();
  return true;
}

void CommitThread::turn_away(const Group& group) {
  const MutexLock lock(mutex_);
  abandon(group);
}

bool CommitThread::wait_until_committed() {
  MutexLock lock(mutex_);
  while ((waiting_ || committing_) && !error_) changed_.wait(lock);
  return !error_;
}

std::vector<Redo> CommitThread::take_redo() {
  const MutexLock lock(mutex_);
  return std::exchange(redo_, {});
}

std::vector<Lease> CommitThread::take_early() {
  const MutexLock lock(mutex_);
  return std::exchange(early_, {});
}

bool CommitThread::take_more() {
  const MutexLock lock(mutex_);
  return std::exchange(more_, false);
}

void CommitThread::fail(const Error& error) {
  const MutexLock lock(mutex_);
  if (!error_) error_ = error;
}

std::optional<Error> CommitThread::error() const {
  const MutexLock lock(mutex_);
  return error_;
}

ProcessorTotals CommitThread::totals() const {
  const MutexLock lock(mutex_);
  return totals_;
}

std::vector<JobId> CommitThread::give_up() {
  const MutexLock lock(mutex_);
  if (const auto group = std::exchange(waiting_, {})) abandon(*group);
  for (const auto& redo : std::exchange(redo_, {})) abandoned_.push_back(redo.lease.job.id);
  for (const auto& lease : std::exchange(early_, {})) abandoned_.push_back(lease.job.id);
  return std::exchange(abandoned_, {});
}

void CommitThread::serve(const std::stop_token& end, const std::stop_token& stop, bool patient) {
  MutexLock lock(mutex_);
  while (changed_.wait(lock, end, [this]() REQUIRES(mutex_) { return waiting_.has_value(); })) {
    auto group = std::move(*waiting_);
    waiting_.reset();
    committing_ = true;
    changed_.notify_all();
    lock.unlock();
    auto committed = commit(group, stop, patient);
    lock.lock();
    committing_ = false;
    if (committed) {
      note(std::move(*committed));
    } else {
      error_ = std::move(committed).error();
      abandon(group);
      end_late_members();
    }
    changed_.notify_all();
    if (error_) return;
  }
}

// A full disk or a busy database is waited out: the group stays leased and nothing has left.
Result<Committed> CommitThread::commit(Group& group, const std::stop_token& stop, bool patient) {
  for (int tries = 1;; ++tries) {
    auto committed = group_commit_.commit(group);
    if (on_commit_) on_commit_(committed ? std::nullopt : std::optional(committed.error()));
    if (committed) return committed;
    const auto& error = committed.error();
    log::error("commit.failed", {{"jobs", group.size()}, {"error", to_string(error)}});
    const bool again = error.recovery == Recovery::retry && (patient || tries < kCommitTries);
    if (!again || !pause(kCommitPause * std::min(tries, 20), stop)) return committed;
  }
}

void CommitThread::note(Committed&& committed) {
  const ProcessorTotals group = {committed.answered, committed.refused,  committed.silent,
                                 committed.held,     committed.deferred, committed.contested};
  totals_.add(group);
  if (on_committed_) on_committed_(group);
  more_ = more_ || committed.more > 0;
  append_moved(redo_, std::move(committed.redo));
  append_moved(early_, std::move(committed.early));
  if (committed.answered > 0) {
    log::info("group.answered", {{"answered", committed.answered}, {"refused", committed.refused}});
  }
}

void CommitThread::abandon(const Group& group) {
  for (const auto& item : group) abandoned_.push_back(item.lease.job.id);
}

// Of the group that waits: nobody will commit it, or answer the late members of its batches.
void CommitThread::end_late_members() {
  if (!waiting_) return;
  for (const auto& item : *waiting_) {
    if (item.members) item.members->end_late();
  }
}

}  // namespace cmpost
