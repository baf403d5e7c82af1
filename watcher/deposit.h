// How requests get into the queue, wherever they come from.
#pragma once

#include <algorithm>
#include <functional>
#include <span>
#include <string>

#include "config/channel_settings.h"
#include "queue/job_queue.h"
#include "watcher/ingress.h"
#include "watcher/intake_gate.h"

namespace cmpost {

// How many jobs are put into the queue in one commit: up to 500 of so many octets together, and no
// more than the channel's limits let in now.
class GroupRoom {
 public:
  static constexpr std::size_t kJobs = 500;
  static constexpr std::size_t kOctets = std::size_t{8} << 20U;

  explicit GroupRoom(std::size_t allowed, std::size_t octets = kOctets)
      : jobs_(std::min(kJobs, allowed)), octets_(octets) {}

  // For how many more jobs, if they are small.
  std::size_t jobs() const { return jobs_; }
  // For one more of this size? The first may be larger than all room.
  bool has_room(std::size_t octets) const { return jobs_ > 0 && (first_ || octets <= octets_); }
  bool full() const { return jobs_ == 0 || octets_ == 0; }
  void take(std::size_t octets) {
    --jobs_;
    octets_ -= std::min(octets_, octets);
    first_ = false;
  }

 private:
  std::size_t jobs_, octets_;
  bool first_ = true;
};

// What every Ingress has between its source and the queue of requests: the gate of its channel's
// limits, the groups that become durable in one commit, and held jobs for what is no request. It
// knows nothing of sources: what was put is let go of there by its Ingress, afterwards. Used by one
// thread.
class Deposit {
 public:
  // All references must outlive the object. `steady` measures intervals.
  Deposit(const ChannelSettings& settings, JobQueue& requests, const Clock& steady);

  const std::string& channel() const { return channel_; }
  // To ask it, and for what an Ingress works on by another one.
  JobQueue& queue() const { return requests_; }

  // Asks the gate, see IntakeGate; what is true of the gate then stays so until it is asked again.
  Result<void> ask_gate();
  Result<GroupRoom> room(std::size_t octets = GroupRoom::kOctets);
  bool closed() const { return gate_.closed(); }
  Time opens() const { return gate_.opens(); }
  // Adds what the gate keeps out to what a look has found.
  void tell_gate(Intake& intake) const;

  // A job of a file as a request: its answer is named from it.
  Job job_of(const JobId& id, const std::string& file) const;
  // Makes the jobs durable in one commit, all or none, and counts them.
  Result<void> put(std::span<const Job> jobs, Intake& intake);
  void log_arrivals(std::span<const Job> jobs) const;

  // Lists what cannot be taken as a held job, durably.
  Result<void> hold(const Job& job, const std::string& reason, const std::string& hint = {});
  void log_put_aside(const JobId& id, const std::string& source, const std::string& reason) const;
  // A job that the processor holds, since it is no PKIMessage, keeps its input waiting for an
  // operator, so that belongs where operators look. `set_aside` takes it there, which may be
  // repeated, and says whether it did; `why` is what to tell there.
  using SetAside = std::function<Result<bool>(const JobStatus& job, const Error& why)>;
  Result<void> set_aside_refused(const SetAside& set_aside);

 private:
  const std::string channel_;
  JobQueue& requests_;
  IntakeGate gate_;
};

// What lies beside a file that was put aside.
std::string reason_text(Time now, const std::string& file, const Error& why, const JobId& id);

}  // namespace cmpost
