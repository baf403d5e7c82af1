// A JobQueue in the spool database.
#pragma once

#include "queue/job_queue.h"
#include "queue/spool_database.h"

namespace cmpost {

class SqliteQueue final : public JobQueue {
 public:
  SqliteQueue(SpoolDatabase& database, QueueParts& parts) : database_(database), parts_(parts) {}

  Result<std::size_t> put(std::span<const Job> jobs) override;
  Result<void> put_held(const Job& job, std::string_view reason) override;
  Result<std::vector<Lease>> take(std::size_t max) override;
  Result<std::vector<Lease>> take_of(std::string_view channel, std::size_t max) override;
  Result<QueueCounts> counts_of(std::string_view channel) override;
  Result<void> finish(std::span<const JobId> ids, std::string_view reason) override;
  Result<void> defer(const JobId& id, Time due, std::string_view reason) override;
  Result<void> defer_all(std::span<const JobId> ids, Time due, std::string_view reason) override;
  Result<void> hold(const JobId& id, std::string_view reason) override;
  Result<bool> bounce(const JobId& id, std::string_view reason) override;
  Result<std::vector<JobStatus>> list(const JobFilter& filter) override;
  Result<std::int64_t> for_each(const JobFilter& filter,
                                const std::function<Result<void>(const JobStatus&)>& each) override;
  Result<std::vector<JobId>> ids_beginning(std::string_view digits, std::size_t limit) override;
  Result<std::optional<JobStatus>> find(const JobId& id) override;
  Result<Bytes> payload(const JobId& id) override;
  Result<std::optional<JobStatus>> newest_done(std::string_view reply_channel,
                                               std::string_view reason) override;
  Result<bool> retry(const JobId& id) override;
  Result<bool> release(const JobId& id) override;
  Result<bool> drop(const JobId& id, std::string_view reason) override;
  Result<QueueCounts> counts() override;
  Result<std::size_t> hanging() override;
  Result<std::size_t> pending(std::string_view channel) override;
  Result<std::size_t> wake(std::string_view channel) override;
  Result<std::size_t> purge(Time before) override;
  void wait_for_work(Duration time_out) override;
  void end_wait() override { parts_.signal.work_added(); }

 private:
  SpoolDatabase& database_;
  QueueParts& parts_;
};

}  // namespace cmpost
