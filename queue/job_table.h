// One queue in the spool database: its jobs and how they change their state.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "queue/id_index.h"
#include "queue/job_queue.h"
#include "queue/spool.h"
#include "queue/spool_schema.h"

namespace cmpost {

// Belongs to one connection; one thread at a time. Every call is made inside a transaction that
// the caller commits; after one that was not committed forget() must be called.
class JobTable {
 public:
  // What happens to the octets of a finished job: a request's are in the ledger, a reply's are
  // not kept anywhere else.
  enum class Finished { forget_payload, keep_payload };
  // `scope`: by the column `channel_column`; what is of other channels is neither leased nor work.
  JobTable(Connection& connection, std::string name, Finished finished, const ChannelScope& scope,
           const std::string& channel_column);

  // Stores the jobs whose id is new, waiting or held; how many.
  struct Start {
    JobState state = JobState::waiting;
    std::string_view reason = "";
  };
  Result<std::size_t> insert(std::span<const Job* const> jobs, Time now, const Start& start);

  // What time it is for deferred jobs, whose times outlive the machine, and for leases, which end
  // with it: those count by a clock that nobody can set. No lease is longer than `lease`.
  struct Moment {
    Time wall, steady;
    Duration lease;
  };
  // Makes deferred jobs that are due, and active ones whose lease has run out, waiting. A lease
  // that ends later than one of now would is cut to that: it is of another start of the machine.
  Result<void> wake(const Moment& now);
  // Makes all deferred jobs due; how many were not. For a clock that was set back: to try too early
  // does no harm.
  Result<std::int64_t> hasten(Time now);
  // When the newest job came, and when the deferred one that waits longest is due.
  Result<std::optional<Time>> newest_arrival();
  Result<std::optional<Time>> last_due();
  // Makes deferred jobs waiting whose reply goes by `reply_channel`; how many.
  Result<std::size_t> wake(std::string_view reply_channel);
  // Makes what `owner` holds waiting; how many.
  Result<std::int64_t> take_back(std::int64_t owner);
  // Leases waiting jobs, oldest first: up to `max`, and not more than some 32 MiB at a time.
  Result<std::vector<Lease>> lease(std::size_t max, std::int64_t owner, Time until);
  // The same for jobs of one reply channel, deferred ones among them.
  Result<std::vector<Lease>> lease_of(std::string_view reply_channel, std::size_t max,
                                      std::int64_t owner, Time until);
  // Whether wake() and lease() would yield something; reads only.
  Result<bool> has_work(const Moment& now);
  // When a deferred job becomes due next by the wall clock, and a lease runs out by the steady one.
  struct Events {
    std::optional<Time> due, lease_end;
  };
  Result<Events> next_events();

  Result<void> finish(std::span<const JobId> ids, std::string_view reason, Time now);
  // As in JobQueue; each says whether it changed the job.
  Result<bool> defer(const JobId& id, Time due, std::string_view reason);
  Result<bool> hold(const JobId& id, std::string_view reason);
  Result<bool> bounce(const JobId& id, std::string_view reason);
  Result<bool> retry(const JobId& id);
  Result<bool> release(const JobId& id);
  Result<bool> drop(const JobId& id, std::string_view reason, Time now);

  // Looks at some jobs after `from`, in their order, and deletes those that ended before `before`.
  struct Purged {
    std::size_t jobs = 0;
    std::optional<std::int64_t> next;  // where to go on; none: that was all
  };
  Result<Purged> purge(Time before, std::int64_t from);

  void forget() { ids_.clear(); }

 private:
  // Jobs `first` to `last`, without a gap.
  struct Run {
    std::int64_t first;
    std::int64_t last;
  };

  // `$` is the table, `@` what limits jobs to the scope, which takes the parameters `channels_`.
  std::string sql(std::string_view text) const;
  Result<std::int64_t> next_seq();
  Result<void> set_counts(std::int64_t next, std::int64_t more_jobs);
  Result<std::vector<Lease>> waiting(std::size_t max, Run& found);
  Result<std::optional<std::int64_t>> seq_of(const JobId& id);
  Result<std::vector<Run>> runs_of(std::span<const JobId> ids);
  Result<void> finish(Run run, std::string_view reason, Time now);
  Result<void> erase(const std::vector<IdIndex::Entry>& jobs);

  Connection& connection_;
  const std::string name_;
  const Finished finished_;
  std::string in_scope_;  // "", or " AND channel IN (?, ?)"
  std::vector<std::string> channels_;
  IdIndex ids_;
};

}  // namespace cmpost
