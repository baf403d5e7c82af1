// A durable queue of jobs. Two of them, requests and replies, are the seams between the stages.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "queue/job.h"
#include "store/list_query.h"

namespace cmpost {

// A job handed to one worker. It stays `active` until finished, deferred or held, until the lease
// runs out, or until the process that took it is dead (noticed at once on the same host).
struct Lease {
  Job job;
  int attempts = 1;  // this one included
  Time arrived{};
  // How often a person has released it when it was held, so that whoever has asked for that tells
  // it from a job that was put anew.
  int releases = 0;
};

enum class JobSort { channel, source, state, reason, size };
inline constexpr std::array<std::string_view, 5> kJobSorts = {"channel", "source", "state",
                                                              "reason", "size"};

// Which jobs, and in which order; what is empty leaves nothing out.
struct JobFilter {
  std::optional<JobState> state{};
  std::optional<std::string> channel{};  // that they came in on
  std::optional<std::size_t> limit{};
  bool newest_first = false;
  std::size_t offset = 0;
  std::optional<Time> since{}, until{};  // of their arrival; until: not that moment itself
  std::optional<Time> worked_since{};    // done, not dropped, then or later
  std::string source{}, reason{};        // a part of it, in ASCII without case
  std::optional<JobSort> sort{};         // nullopt: as they came
};
// As somebody has written it. An Error (hold) where there is no such state, or no such order.
Result<JobFilter> job_filter(const ListFilter& filter);

struct QueueCounts {
  std::size_t waiting = 0, active = 0, deferred = 0, held = 0, done = 0;
  std::optional<Time> oldest;  // arrival of the oldest job that is not done
};

// All members may be called from any thread and from several processes on the same host.
class JobQueue {
 public:
  virtual ~JobQueue() = default;

  // Stores jobs in one commit: once it has returned OK all of them survive loss of power; on an
  // Error none is stored. A job whose id is known, in whatever state, is OK and changes nothing.
  // Returns how many were new.
  virtual Result<std::size_t> put(std::span<const Job> jobs) = 0;

  // Stores a job that nobody is to work on, `held` with `reason` from the start: input that could
  // not be taken, so that it is listed beside the rest. Durable and harmless to repeat like put().
  virtual Result<void> put_held(const Job& job, std::string_view reason) = 0;

  // Leases up to `max` jobs that are due, oldest first, in one commit. Empty when none is.
  virtual Result<std::vector<Lease>> take(std::size_t max) = 0;

  // The same for jobs whose answers go out by `channel` alone, whether or not they are due.
  virtual Result<std::vector<Lease>> take_of(std::string_view channel, std::size_t max) = 0;
  // How many jobs that go out by it are not done, by their state: waiting, active, deferred, held.
  virtual Result<QueueCounts> counts_of(std::string_view channel) = 0;

  // Ends leases in one commit. `reason` is kept ("answered", "sent"). An id that is not active is
  // skipped: somebody else finished it.
  virtual Result<void> finish(std::span<const JobId> ids, std::string_view reason) = 0;
  // Gives a job back to be tried again at `due`, or to wait for an operator.
  virtual Result<void> defer(const JobId& id, Time due, std::string_view reason) = 0;
  // The same for many, in one commit.
  virtual Result<void> defer_all(std::span<const JobId> ids, Time due, std::string_view reason) = 0;
  virtual Result<void> hold(const JobId& id, std::string_view reason) = 0;

  // A job that was done has come back, as a bounced mail does: it waits for an operator, who may
  // `retry` it. False when the job is not known, not
  // done, or when its octets are not kept any more.
  virtual Result<bool> bounce(const JobId& id, std::string_view reason) = 0;

  // For people. `retry` makes deferred and held jobs waiting; `release` is for held ones only;
  // `drop` ends a job that is not active, its bytes stay until the retention ends.
  virtual Result<std::vector<JobStatus>> list(const JobFilter& filter) = 0;
  // One by one, so that memory stays flat; how many match, whatever limit and offset say, at the
  // same moment. `each` calls nothing of the queue.
  virtual Result<std::int64_t> for_each(
      const JobFilter& filter, const std::function<Result<void>(const JobStatus&)>& each) = 0;
  // At most `limit` of those whose ids begin with these hexadecimal digits.
  virtual Result<std::vector<JobId>> ids_beginning(std::string_view digits, std::size_t limit) = 0;
  virtual Result<std::optional<JobStatus>> find(const JobId& id) = 0;
  virtual Result<Bytes> payload(const JobId& id) = 0;
  // The youngest job that went out by `reply_channel` and is done for this `reason`.
  virtual Result<std::optional<JobStatus>> newest_done(std::string_view reply_channel,
                                                       std::string_view reason) = 0;
  virtual Result<bool> retry(const JobId& id) = 0;
  virtual Result<bool> release(const JobId& id) = 0;
  virtual Result<bool> drop(const JobId& id, std::string_view reason) = 0;
  virtual Result<QueueCounts> counts() = 0;
  // How many active jobs nobody works on: whoever took them is dead, or their lease is over. The
  // next take() of any process makes them waiting.
  virtual Result<std::size_t> hanging() = 0;
  // How many jobs that came in on `channel` are waiting, active or deferred. Its cost grows with
  // the jobs of all channels that are not done.
  virtual Result<std::size_t> pending(std::string_view channel) = 0;

  // Makes the deferred jobs waiting whose answers go out by `channel`, since that can take them
  // now; how many. In one commit.
  virtual Result<std::size_t> wake(std::string_view channel) = 0;

  // Forgets done jobs that ended before `before`; how many.
  virtual Result<std::size_t> purge(Time before) = 0;
  // Blocks until a put by this process may have added work, or until the time-out. For loops.
  virtual void wait_for_work(Duration time_out) = 0;
  // Ends that wait in this process, or the next one: there is news that the queue does not have.
  virtual void end_wait() = 0;
};

// 1 min, 5 min, 15 min, 1 h, then 4 h, each +-20 %: the delay before attempt `attempts` + 1.
Duration backoff(int attempts, Random& random);

}  // namespace cmpost
