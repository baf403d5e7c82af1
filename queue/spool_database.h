// The spool database as all threads of a process share it: one connection that writes, one that
// reads, and the knowledge of who is alive.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <type_traits>

#include "base/clock.h"
#include "base/mutex.h"
#include "queue/job_listing.h"
#include "queue/job_table.h"
#include "queue/lease_owner.h"
#include "queue/spool.h"
#include "queue/work_signal.h"
#include "store/connection.h"
#include "store/database_transaction.h"

namespace cmpost {

// One of the two queues.
struct QueueParts {
  JobTable table;      // under SpoolDatabase::write()
  JobListing listing;  // under SpoolDatabase::read()
  WorkSignal signal;
  // What the last take in vain saw: the version of the database, and when a job becomes due or a
  // lease runs out next. Under the writer's lock.
  std::int64_t seen_version;
  JobTable::Events next;
};

// All members may be called from any thread.
class SpoolDatabase {
 public:
  SpoolDatabase(std::unique_ptr<Connection> writer, std::unique_ptr<Connection> reader,
                std::string path, Duration lease, const ChannelScope& scope,
                const SpoolClocks& clocks);

  QueueParts& requests() { return requests_; }
  QueueParts& replies() { return replies_; }
  Time now() const { return clocks_.wall.now(); }

  // One write transaction around `work`; committed when that is OK.
  template <typename Work>
  std::invoke_result_t<Work> write(const Work& work) EXCLUDES(write_mutex_) {
    const MutexLock lock(write_mutex_);
    return transaction(work);
  }
  // Connection lets any thread ask.
  Result<void> check_place() const NEEDS_NO_MUTEX { return writer_->check_place(); }
  std::int64_t log_size() {
    const MutexLock lock(write_mutex_);
    return writer_->log_size();
  }
  // `work` with the listings to itself.
  template <typename Work>
  std::invoke_result_t<Work> read(const Work& work) EXCLUDES(read_mutex_) {
    const MutexLock lock(read_mutex_);
    return work();
  }

  Result<std::vector<Lease>> take(QueueParts& queue, std::size_t max);
  // As JobQueue::take_of().
  Result<std::vector<Lease>> take_of(QueueParts& queue, std::string_view channel, std::size_t max);
  // Whether another process has written, a job has become due, or an owner has died since the last
  // take in vain.
  bool may_have_work(const QueueParts& queue);
  // As JobQueue::hanging(). Reads only.
  Result<std::size_t> hanging(QueueParts& queue);
  // Frees what dead owners hold and removes the files they left, and makes due what was deferred
  // by a clock that has been set back since. At the start.
  Result<void> clean_up();

 private:
  struct Owner {
    std::int64_t number;
    std::string token;
  };

  template <typename Work>
  std::invoke_result_t<Work> transaction(const Work& work) REQUIRES(write_mutex_);
  void forget() REQUIRES(write_mutex_);
  Result<std::vector<Owner>> other_owners() REQUIRES(write_mutex_);
  Result<std::vector<Owner>> dead_owners() REQUIRES(write_mutex_);
  Result<void> free_leases_of(const std::vector<Owner>& dead) REQUIRES(write_mutex_);
  Result<std::int64_t> own_number() REQUIRES(write_mutex_);
  Result<std::int64_t> data_version() REQUIRES(write_mutex_);
  Result<std::vector<Lease>> lease(QueueParts& queue, std::size_t max) REQUIRES(write_mutex_);
  JobTable::Moment moment() const;
  bool was_set_back() const REQUIRES(write_mutex_);
  Result<void> look_at_clock() REQUIRES(write_mutex_);
  Result<bool> has_been_later() REQUIRES(write_mutex_);
  Result<void> hasten() REQUIRES(write_mutex_);

  const SpoolClocks clocks_;
  const Duration lease_;
  const std::string path_;
  Mutex write_mutex_;
  Mutex read_mutex_;
  const std::unique_ptr<Connection> writer_ PT_GUARDED_BY(write_mutex_);
  const std::unique_ptr<Connection> reader_ PT_GUARDED_BY(read_mutex_);
  std::optional<LeaseOwner> owner_ GUARDED_BY(write_mutex_);
  std::int64_t own_number_ GUARDED_BY(write_mutex_) = 0;
  JobTable::Moment seen_ GUARDED_BY(write_mutex_);  // by the last look at the clocks
  QueueParts requests_;
  QueueParts replies_;
};

template <typename Work>
std::invoke_result_t<Work> SpoolDatabase::transaction(const Work& work) {
  std::invoke_result_t<Work> result;
  DatabaseTransaction transaction(*writer_);
  if (auto begun = transaction.begin(); !begun) {
    result = failure(std::move(begun).error());
    return result;
  }
  result = work();
  if (result) {
    if (auto committed = transaction.commit(); !committed) {
      result = failure(std::move(committed).error());
    }
  }
  if (!result) forget();
  return result;
}

}  // namespace cmpost
