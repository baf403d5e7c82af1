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

// The job id proves that the file is the job's: a name may have been used before.
Result<bool> DirectoryIngress::set_aside(const JobStatus& job, const Error& why) const {
  const auto name = find_done(job);
  if (!name) return false;
  auto moved =
      drop_->move(Place::done, *name, Place::quarantine, job.id.text(), kReasonEnding.size());
  if (!moved) return false;  // at the next look
  write_reason(*moved, job.envelope.source, why, job.id);
  return true;
}

// The file in .done that the job was made from, by the names that DropDirectory::move() gives; for
// one of a list its mark is that of its octets.
std::optional<std::string> DirectoryIngress::find_done(const JobStatus& job) const {
  const auto payload = deposit_.queue().payload(job.id);
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
                                    const Error& why, const JobId& id) const {
  const auto text = reason_text(wall_.now(), source, why, id);
  // The queue has the reason too, so a full disk costs only this copy of it.
  (void)replace_file_at(drop_->at(Place::quarantine), name + std::string(kReasonEnding),
                        view_of(text), 0640);
}

}  // namespace cmpost
