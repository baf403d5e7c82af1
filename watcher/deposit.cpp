#include "watcher/deposit.h"

#include "base/log.h"
#include "watcher/file_names.h"

namespace cmpost {
namespace {

constexpr std::size_t kHeldAtATime = 1000;

}  // namespace

Deposit::Deposit(const ChannelSettings& settings, JobQueue& requests, const Clock& steady)
    : channel_(settings.name), requests_(requests), gate_(settings, requests, steady) {}

Result<void> Deposit::ask_gate() {
  TRY(gate_.allowance());
  return {};
}

Result<GroupRoom> Deposit::room(std::size_t octets) {
  ASSIGN_OR_RETURN(const auto allowed, gate_.allowance());
  return GroupRoom(allowed, octets);
}

void Deposit::tell_gate(Intake& intake) const {
  intake.stuck += gate_.needs_help() ? 1 : 0;
  intake.paused = intake.paused || (gate_.closed() && !gate_.needs_help());
}

Job Deposit::job_of(const JobId& id, const std::string& file) const {
  Job job;
  job.id = id;
  job.envelope.channel = channel_;
  job.envelope.source = whole_name(file);
  job.envelope.reply.channel = channel_;
  job.envelope.reply.name = whole_name(stem_of(file));
  return job;
}

Result<void> Deposit::put(std::span<const Job> jobs, Intake& intake) {
  if (jobs.empty()) return {};
  ASSIGN_OR_RETURN(const auto fresh, requests_.put(jobs));
  gate_.took(jobs.size());
  intake.deposited += jobs.size();
  intake.known += jobs.size() - fresh;
  return {};
}

void Deposit::log_arrivals(std::span<const Job> jobs) const {
  for (const auto& job : jobs) {
    log::info("job.arrived", {{"job", job.id.text()},
                              {"channel", channel_},
                              {"source", job.envelope.source},
                              {"octets", job.payload.size()}});
  }
}

Result<void> Deposit::hold(const Job& job, const std::string& reason, const std::string& hint) {
  return requests_.put_held(job, to_string(Error{Recovery::hold, reason, hint}));
}

void Deposit::log_put_aside(const JobId& id, const std::string& source,
                            const std::string& reason) const {
  log::warning("input.quarantined",
               {{"job", id.text()}, {"channel", channel_}, {"source", source}, {"reason", reason}});
}

Result<void> Deposit::set_aside_refused(const SetAside& set_aside) {
  JobFilter held;
  held.state = JobState::held;
  held.channel = channel_;
  held.limit = kHeldAtATime;
  held.newest_first = true;  // those of before were looked after
  ASSIGN_OR_RETURN(const auto jobs, requests_.list(held));
  for (const auto& job : jobs) {
    if (job.size == 0) continue;  // was never taken: lies there already
    const Error why{Recovery::hold, job.reason,
                    "`cmpost queue show " + job.id.text() + "`, then `retry` or `drop` it"};
    ASSIGN_OR_RETURN(const bool moved, set_aside(job, why));
    if (moved) log_put_aside(job.id, job.envelope.source, job.reason);
  }
  return {};
}

std::string reason_text(Time now, const std::string& file, const Error& why, const JobId& id) {
  return "time:   " + to_iso8601(now) + "\nfile:   " + printable(file) +
         "\nreason: " + printable(why.what, 2000) + "\n" +
         (why.hint.empty() ? "" : "hint:   " + printable(why.hint, 2000) + "\n") +
         "job:    " + id.text() + "\n";
}

}  // namespace cmpost
