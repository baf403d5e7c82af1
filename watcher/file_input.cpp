#include "watcher/file_input.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/own_files.h"
#include "watcher/arrival.h"
#include "watcher/file_names.h"
#include "watcher/log_stuck.h"
#include "watcher/marker.h"

namespace cmpost {
namespace {

using Place = DropDirectory::Place;

}  // namespace

Result<std::optional<FileInput::Claimed>> FileInput::take(const Spot& spot, Intake& intake) {
  if (spot.place == Place::work && is_deposited(spot)) return std::nullopt;
  // What lies in .work was complete when it was claimed.
  if (spot.place == Place::work) input_.in_work.announce(spot.name);
  bool settled = false;
  auto judged = judge_spot(spot, settled);
  if (!judged) return std::nullopt;
  auto& finding = *judged;
  switch (finding.what) {
    case Finding::What::take:
      return claim(spot, std::move(finding.message));
    case Finding::What::bad_now:
      if (finding.may_grow && spot.place == Place::in) settled = has_stopped_growing(spot);
      if (settled) TRY(input_.quarantine(spot, finding, intake));
      break;
    case Finding::What::retry:
      if (settled) input_.report(spot, finding.reason, finding.hint);
      break;
    case Finding::What::gone:
      input_.settling(spot.place).forget(spot.name);
      break;
  }
  return std::nullopt;
}

// nullopt: it may not be complete.
std::optional<Finding> FileInput::judge_spot(const Spot& spot, bool& settled) {
  const auto rule =
      spot.place == Place::work ? ReadyRule::rename : input_.settings.directory()->ready;
  const auto file_system_now = time_by(rule);
  const auto readiness = input_.settling(spot.place)
                             .look_at(spot.name, spot.look, input_.steady.now(), file_system_now);
  settled = readiness == Readiness::settled;
  std::optional<Sha256> sha256;
  if (rule == ReadyRule::marker) {
    auto verdict = judge_marker(*input_.drop, {spot.name, spot.look, settled}, input_.in,
                                input_.steady.now(), file_system_now);
    if (verdict.what == MarkerVerdict::What::not_read) {
      return Finding{Finding::What::retry, {}, std::move(verdict.reason), {}};
    }
    if (verdict.what == MarkerVerdict::What::wait) return std::nullopt;
    if (verdict.what == MarkerVerdict::What::bad) {
      return Finding{Finding::What::bad_now, {}, std::move(verdict.reason), {}};
    }
    sha256 = verdict.sha256;
  } else {
    const bool must_settle = rule == ReadyRule::stable || spot.look.links > 1;
    if (readiness == Readiness::unsettled || (must_settle && !settled)) return std::nullopt;
  }
  return judge(*input_.drop, spot.place, spot.name, spot.look, input_.settings.max_message, sha256,
               input_.form.read);
}

// By `stable` a file must be seen to stay as it is; that it is old is not enough.
std::int64_t FileInput::time_by(ReadyRule rule) const {
  return rule == ReadyRule::stable ? 0 : input_.file_system_now;
}

bool FileInput::has_stopped_growing(const Spot& spot) {
  return input_.in.wait_for_more(spot.name, spot.look, input_.steady.now(),
                                 time_by(input_.settings.directory()->ready)) == Readiness::settled;
}

// One that lies in .work since it could not be moved to .done: its request is in the queue, so that
// it is not read again.
bool FileInput::is_deposited(const Spot& spot) {
  const auto known = deposited_.find(spot.name);
  if (known == deposited_.end()) return false;
  if (known->second.arrival != arrival_of(spot.look)) {
    deposited_.erase(known);  // another file of that name
    return false;
  }
  let_go(spot.name, known->second.id);
  return true;
}

// A file that somebody has removed meanwhile needs no place in .done.
void FileInput::let_go(const std::string& name, const JobId& id) {
  const auto moved = input_.drop->move(Place::work, name, Place::done, id.text());
  const auto look = moved ? Result<std::optional<Look>>() : input_.drop->look(Place::work, name);
  if (!look) return input_.report({Place::work, name, {}}, look.error().what, look.error().hint);
  input_.in_work.forget(name);
  if (!*look) {
    deposited_.erase(name);
    return;
  }
  const auto why = "its request is in the queue, but " + moved.error().what;
  const bool news =
      deposited_.insert_or_assign(name, Deposited{arrival_of(**look), id, why}).second;
  if (news) log_stuck(input_.channel(), name, why, moved.error().hint);
}

// A request that was answered long ago lies in `in` once more: somebody wants the answer again, as
// `mv in/.done/x.pki in/` and `rsync -t` do. With its old time it would be the arrival that is
// known. In .work, on the other hand, lies what a crash has left.
Result<std::optional<FileInput::Claimed>> FileInput::claim_anew(const Spot& spot, Bytes message) {
  const auto before = arrival_of(spot.look);
  const auto old = input_.job_of(spot, message).id;
  log::info(
      "job.again",
      {{"job", old.text()}, {"channel", input_.channel()}, {"source", whole_name(spot.name)}});
  if (!input_.drop->renew(spot.name)) return copy_anew(spot, std::move(message), old);
  const auto look = input_.drop->look(Place::in, spot.name);
  if (!look) {
    input_.report(spot, look.error().what, look.error().hint);
    return std::nullopt;
  }
  if (!*look || (*look)->inode != spot.look.inode || arrival_of(**look) == before) {
    input_.in.announce(spot.name);
    return std::nullopt;
  }
  return claim({Place::in, spot.name, **look}, std::move(message));
}

// The file belongs to somebody else, and its time can be set by nobody else. A crash between the
// two steps makes one more answer of the same octets.
Result<std::optional<FileInput::Claimed>> FileInput::copy_anew(const Spot& spot, Bytes message,
                                                               const JobId& old) {
  const auto name = "again-" + old.text() + ".pki";
  if (auto made = replace_file_at(input_.drop->at(Place::work), name, message, 0640); !made) {
    input_.report(spot, made.error().what, made.error().hint);
    return std::nullopt;
  }
  if (auto moved = input_.drop->move(Place::in, spot.name, Place::done, old.text()); !moved) {
    ::unlinkat(input_.drop->at(Place::work).get(), name.c_str(), 0);
    input_.report(spot, moved.error().what, moved.error().hint);
    return std::nullopt;
  }
  input_.in.forget(spot.name);
  input_.move_markers(spot.name, Place::done);
  const auto look = input_.drop->look(Place::work, name);
  if (!look || !*look) return std::nullopt;  // a scan finds it there
  return Claimed{name, input_.job_of({Place::work, spot.name, **look}, std::move(message))};
}

Result<std::optional<FileInput::Claimed>> FileInput::claim(const Spot& spot, Bytes message) {
  Claimed claimed{spot.name, input_.job_of(spot, std::move(message))};
  if (spot.place == Place::work) return claimed;
  ASSIGN_OR_RETURN(const auto known, input_.deposit.queue().find(claimed.job.id));
  if (known && known->state == JobState::done) {
    return claim_anew(spot, std::move(claimed.job.payload));
  }

  auto moved = input_.drop->move(spot.place, spot.name, Place::work, claimed.job.id.text());
  if (!moved) {
    const auto there = input_.drop->look(spot.place, spot.name);
    if (!there || *there) input_.report(spot, moved.error().what, moved.error().hint);
    return std::nullopt;
  }
  crash_point("watcher.claimed");
  input_.in.forget(spot.name);
  input_.move_markers(spot.name, Place::done);
  claimed.name = std::move(*moved);
  // The name may have come to mean another file since it was read; that one is judged from .work.
  const auto look = input_.drop->look(Place::work, claimed.name);
  if (look && *look && (*look)->inode == spot.look.inode && (*look)->size == spot.look.size &&
      (*look)->mtime_nanos == spot.look.mtime_nanos) {
    return claimed;
  }
  input_.in_work.announce(claimed.name);
  return std::nullopt;
}

Result<void> FileInput::deposit(std::vector<Claimed> group, Intake& intake) {
  if (group.empty()) return {};
  std::vector<Job> jobs;
  for (auto& claimed : group) jobs.push_back(std::move(claimed.job));
  TRY(input_.deposit.put(jobs, intake));
  crash_point("watcher.deposited");
  input_.deposit.log_arrivals(jobs);
  for (std::size_t i = 0; i < group.size(); ++i) {
    const auto& name = group[i].name;
    let_go(name, jobs[i].id);
    crash_point("watcher.done");
  }
  return input_.drop->sync();
}

void FileInput::forget_gone() {
  std::erase_if(deposited_, [this](const auto& one) {
    const auto look = input_.drop->look(Place::work, one.first);
    return look && !*look;
  });
}

std::size_t FileInput::stuck() const {
  LookedAt found;
  add_stuck(found);
  return found.stuck.size();
}

void FileInput::add_stuck(LookedAt& found) const {
  for (const auto& [name, file] : deposited_) {
    if (input_.in_work.knows(name)) continue;  // it cannot even be looked at, which is told there
    found.stuck.push_back({".work/" + name, file.why, 0, std::nullopt});
  }
}

}  // namespace cmpost
