// What was taken as a request and turned out to be none: from .done to .quarantine.
#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/own_files.h"
#include "watcher/arrival.h"
#include "watcher/directory_ingress.h"
#include "watcher/file_names.h"

namespace cmpost {
namespace {

using Place = DropDirectory::Place;

constexpr std::size_t kAtATime = 1000;

}  // namespace

std::array<std::uint8_t, 16> arrival_of(const Look& look) {
  std::array<std::uint8_t, 16> octets;
  const auto put = [&](std::size_t at, std::uint64_t value) {
    for (std::size_t i = 0; i < 8; ++i) {
      octets[at + i] = static_cast<std::uint8_t>(value >> (56 - 8 * i));
    }
  };
  put(0, look.inode);
  put(8, static_cast<std::uint64_t>(look.mtime_nanos));
  return octets;
}

// A job that is held as no PKIMessage keeps its file waiting for an operator, so that belongs where
// operators look. The job id proves that the file is the job's: a name may have been used before.
Result<void> DirectoryIngress::set_aside_refused() {
  JobFilter held;
  held.state = JobState::held;
  held.channel = channel();
  held.limit = kAtATime;
  held.newest_first = true;  // those of before were looked after
  ASSIGN_OR_RETURN(const auto jobs, requests_.list(held));
  for (const auto& job : jobs) {
    if (job.size == 0) continue;  // was never taken: lies there already
    const auto name = find_done(job);
    if (!name) continue;
    auto moved =
        drop_->move(Place::done, *name, Place::quarantine, job.id.text(), kReasonEnding.size());
    if (!moved) continue;  // at the next look
    Finding finding;
    finding.reason = job.reason;
    finding.hint = "`cmpost queue show " + job.id.text() + "`, then `retry` or `drop` it";
    write_reason(*moved, job.envelope.source, finding, job.id);
    log::warning("input.quarantined", {{"job", job.id.text()},
                                       {"channel", channel()},
                                       {"source", job.envelope.source},
                                       {"reason", job.reason}});
  }
  return {};
}

// The file in .done that the job was made from, by the names that DropDirectory::move() gives; for
// one of a list its mark is that of its octets.
std::optional<std::string> DirectoryIngress::find_done(const JobStatus& job) const {
  const auto payload = requests_.payload(job.id);
  if (!payload) return std::nullopt;
  for (const auto& mark :
       {std::string(), std::string("1"), job.id.text(), mark_of_listed(sha256(*payload))}) {
    const auto name = marked_name(job.envelope.source, mark);
    const auto look = drop_->look(Place::done, name);
    if (!look || !*look) continue;
    if (make_job_id({view_of(channel()), arrival_of(**look), *payload}) == job.id) return name;
  }
  return std::nullopt;
}

void DirectoryIngress::write_reason(const std::string& name, const std::string& source,
                                    const Finding& finding, const JobId& id) const {
  const auto text =
      "time:   " + to_iso8601(wall_.now()) + "\nfile:   " + printable(source) +
      "\nreason: " + printable(finding.reason, 2000) + "\n" +
      (finding.hint.empty() ? "" : "hint:   " + printable(finding.hint, 2000) + "\n") +
      "job:    " + id.text() + "\n";
  // The queue has the reason too, so a full disk costs only this copy of it.
  (void)replace_file_at(drop_->at(Place::quarantine), name + std::string(kReasonEnding),
                        view_of(text), 0640);
}

}  // namespace cmpost
