// What people and reports see of a queue; on a connection of its own, so that a long listing
// stops nobody.
#pragma once

#include <string>

#include "queue/id_index.h"
#include "queue/job_queue.h"

namespace cmpost {

// One thread at a time; reads only. Each call sees one moment.
class JobListing {
 public:
  JobListing(Connection& connection, std::string name)
      : connection_(connection), name_(std::move(name)), ids_(connection, name_) {}

  Result<std::vector<JobStatus>> list(const JobFilter& filter);
  Result<std::int64_t> for_each(const JobFilter& filter,
                                const std::function<Result<void>(const JobStatus&)>& each);
  Result<std::vector<JobId>> ids_beginning(std::string_view digits, std::size_t limit);
  Result<std::optional<JobStatus>> find(const JobId& id);
  Result<Bytes> payload(const JobId& id);
  Result<std::optional<JobStatus>> newest_done(std::string_view reply_channel,
                                               std::string_view reason);
  Result<QueueCounts> counts();
  Result<QueueCounts> counts_of(std::string_view reply_channel);
  // Leases, those of one owner that end at one time together.
  struct Active {
    std::int64_t owner;
    Time until;  // by the steady clock
    std::size_t jobs;
  };
  Result<std::vector<Active>> active();
  Result<std::size_t> pending(std::string_view channel);

 private:
  Result<std::optional<std::int64_t>> seq_of(const JobId& id);

  Connection& connection_;
  const std::string name_;
  IdIndex ids_;
};

}  // namespace cmpost
