#include "watcher/drop_input.h"

#include <sys/stat.h>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/own_files.h"
#include "watcher/arrival.h"
#include "watcher/file_names.h"
#include "watcher/listed_files.h"
#include "watcher/log_stuck.h"
#include "watcher/marker.h"

namespace cmpost {
namespace {

using Place = DropDirectory::Place;

}  // namespace

DropInput::DropInput(const ChannelSettings& channel_settings, JobQueue& requests,
                     const Clock& wall_clock, const Clock& steady_clock)
    : settings(channel_settings),
      wall(wall_clock),
      steady(steady_clock),
      deposit(settings, requests, steady),
      in(settings.directory()->settle),
      in_work(settings.directory()->settle),
      left_alone(settings) {}

std::optional<Spot> DropInput::spot(Place place, const std::string& name) {
  if (place == Place::in && is_ignored(name)) return std::nullopt;
  if (place == Place::work && name.starts_with('.')) return std::nullopt;  // our own
  // A marker is looked at with its file.
  if (settings.directory()->ready == ReadyRule::marker && marked_file(name)) return std::nullopt;
  const auto found = drop->look(place, name);
  if (!found) {
    settling(place).cannot_look_at(name);
    report({place, name, {}}, found.error().what, found.error().hint);
    return std::nullopt;
  }
  const auto& look = *found;
  const bool folder = look && S_ISDIR(look->type) && !is_request_name(name);
  if (look && !folder) return Spot{place, name, *look};
  if (folder && place == Place::in) left_alone.folder(name);
  settling(place).forget(name);
  return std::nullopt;
}

bool DropInput::is_taken_list(const Spot& spot) const {
  return spot.place == Place::work && settings.directory()->ready == ReadyRule::manifest &&
         is_list_name(spot.name);
}

Job DropInput::job_of(const Spot& spot, Bytes message) const {
  auto job =
      deposit.job_of(make_job_id({view_of(channel()), arrival_of(spot.look), message}), spot.name);
  job.envelope.reply.address = return_address;
  if (!message.empty()) form.mark(spot.name, job);
  job.payload = std::move(message);
  return job;
}

void DropInput::move_markers(const std::string& name, Place to) {
  if (settings.directory()->ready != ReadyRule::marker) return;
  for (const auto& marker : markers_of(name)) {
    if (const auto look = drop->look(Place::in, marker); look && *look) {
      // One that stays is older than any file of that name that comes, and so tells nothing.
      (void)drop->move(Place::in, marker, to, to_hex(arrival_of(**look)));
    }
    in.forget(marker);
  }
}

Result<void> DropInput::quarantine(const Spot& spot, const Finding& finding, Intake& intake) {
  Job job = job_of(spot, {});
  job.id = make_job_id({view_of(channel()), arrival_of(spot.look), view_of("quarantine")});
  TRY(deposit.hold(job, finding.reason, finding.hint));
  crash_point("watcher.held");
  auto moved =
      drop->move(spot.place, spot.name, Place::quarantine, job.id.text(), kReasonEnding.size());
  if (!moved) {
    report(spot, finding.reason + "; " + moved.error().what, moved.error().hint);
    return {};
  }
  crash_point("watcher.quarantined");
  settling(spot.place).forget(spot.name);
  if (is_taken_list(spot)) stuck_lists.erase(spot.name);
  if (spot.place == Place::in) move_markers(spot.name, Place::quarantine);
  write_reason(*moved, spot.name, {Recovery::hold, finding.reason, finding.hint}, job.id);
  ++intake.quarantined;
  deposit.log_put_aside(job.id, job.envelope.source, finding.reason);
  return {};
}

void DropInput::report(const Spot& spot, const std::string& reason, const std::string& hint) {
  const bool news = is_taken_list(spot) ? stuck_lists.insert_or_assign(spot.name, reason).second
                                        : settling(spot.place).first_report(spot.name, reason);
  if (news) log_stuck(channel(), spot.name, reason, hint);
}

void DropInput::write_reason(const std::string& name, const std::string& source, const Error& why,
                             const JobId& id) const {
  const auto text = reason_text(wall.now(), source, why, id);
  // The queue has the reason too, so a full disk costs only this copy of it.
  (void)replace_file_at(drop->at(Place::quarantine), name + std::string(kReasonEnding),
                        view_of(text), 0640);
}

}  // namespace cmpost
