// The spool database as all threads of a process share it: one connection that writes, one that
// reads, and the knowledge of who is alive.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>

#include "base/clock.h"
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
                std::string path, Duration lease, const SpoolClocks& clocks);

  QueueParts& requests() { return requests_; }
  QueueParts& replies() { return replies_; }
  Time now() const { return clocks_.wall.now(); }

  // One write transaction around `work`; committed when that is OK.
  template <typename Work>
  std::invoke_result_t<Work> write(const Work& work) {
    const std::lock_guard lock(write_mutex_);
    return transaction(work);
  }
  Result<void> check_place() const { return writer_->check_place(); }
  std::int64_t log_size() {
    const std::lock_guard lock(write_mutex_);
    return writer_->log_size();
  }
  // `work` with the listings to itself.
  template <typename Work>
  std::invoke_result_t<Work> read(const Work& work) {
    const std::lock_guard lock(read_mutex_);
    return work();
  }

  Result<std::vector<Lease>> take(QueueParts& queue, std::size_t max);
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

  // The private members below need write_mutex_.
  template <typename Work>
  std::invoke_result_t<Work> transaction(const Work& work);
  void forget();
  Result<std::vector<Owner>> other_owners();
  Result<std::vector<Owner>> dead_owners();
  Result<void> free_leases_of(const std::vector<Owner>& dead);
  Result<std::int64_t> own_number();
  Result<std::int64_t> data_version();
  Result<std::vector<Lease>> lease(QueueParts& queue, std::size_t max);
  JobTable::Moment moment() const;
  bool was_set_back() const;
  Result<void> look_at_clock();
  Result<bool> has_been_later();
  Result<void> hasten();

  const SpoolClocks clocks_;
  const Duration lease_;
  const std::string path_;
  std::mutex write_mutex_;
  std::mutex read_mutex_;
  const std::unique_ptr<Connection> writer_;  // guarded by write_mutex_
  const std::unique_ptr<Connection> reader_;  // guarded by read_mutex_
  std::optional<LeaseOwner> owner_;           // guarded by write_mutex_, as what follows
  std::int64_t own_number_ = 0;
  JobTable::Moment seen_;  // by the last look at the clocks
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
