#include "watcher/refused_input.h"

#include "watcher/arrival.h"
#include "watcher/file_names.h"

namespace cmpost {
namespace {

using Place = DropDirectory::Place;

}  // namespace

Result<void> RefusedInput::set_aside() {
  return input_.deposit.set_aside_refused(
      [this](const JobStatus& job, const Error& why) { return set_aside(job, why); });
}

// The job id proves that the file is the job's: a name may have been used before.
Result<bool> RefusedInput::set_aside(const JobStatus& job, const Error& why) const {
  const auto name = find_done(job);
  if (!name) return false;
  auto moved = input_.drop->move(Place::done, *name, Place::quarantine, job.id.text(),
                                 DropInput::kReasonEnding.size());
  if (!moved) return false;  // at the next look
  input_.write_reason(*moved, job.envelope.source, why, job.id);
  return true;
}

// The file in .done that the job was made from, by the names that DropDirectory::move() gives.
std::optional<std::string> RefusedInput::find_done(const JobStatus& job) const {
  const auto payload = input_.deposit.queue().payload(job.id);
  if (!payload) return std::nullopt;
  for (const auto& mark : {std::string(), std::string("1"), job.id.text()}) {
    const auto name = marked_name(job.envelope.source, mark);
    const auto look = input_.drop->look(Place::done, name);
    if (!look || !*look) continue;
    const auto id = make_job_id({view_of(input_.channel()), arrival_of(**look), *payload});
    if (id == job.id) return name;
  }
  return std::nullopt;
}

}  // namespace cmpost
