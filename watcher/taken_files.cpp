// From a file that was found to a job, or to the quarantine.
#include <sys/stat.h>
#include <unistd.h>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/own_files.h"
#include "watcher/arrival.h"
#include "watcher/directory_ingress.h"
#include "watcher/file_names.h"

namespace cmpost {
namespace {

using Place = DropDirectory::Place;

}  // namespace

Result<std::optional<DirectoryIngress::Claimed>> DirectoryIngress::take_one(const Spot& spot,
                                                                            Intake& intake) {
  if (is_taken_list(spot)) {
    TRY(resume_list(spot, intake));
    return std::nullopt;
  }
  if (spot.place == Place::work && is_deposited(spot)) return std::nullopt;
  // What lies in .work was complete when it was claimed.
  if (spot.place == Place::work) in_work_.announce(spot.name);
  bool settled = false;
  auto judged = judge_spot(spot, settled);
  if (!judged) return std::nullopt;
  auto& finding = *judged;
  switch (finding.what) {
    case Finding::What::take:
      return claim(spot, std::move(finding.message));
    case Finding::What::bad_now:
      if (finding.may_grow && spot.place == Place::in) settled = has_stopped_growing(spot);
      if (settled) TRY(quarantine(spot, finding, intake));
      break;
    case Finding::What::retry:
      if (settled) report(spot, finding.reason, finding.hint);
      break;
    case Finding::What::gone:
      settling(spot.place).forget(spot.name);
      break;
  }
  return std::nullopt;
}

// nullopt: it may not be complete.
std::optional<Finding> DirectoryIngress::judge_spot(const Spot& spot, bool& settled) {
  const auto rule = spot.place == Place::work ? ReadyRule::rename : settings_.directory()->ready;
  const auto file_system_now = time_by(rule);
  const auto readiness =
      settling(spot.place).look_at(spot.name, spot.look, steady_.now(), file_system_now);
  settled = readiness == Readiness::settled;
  std::optional<Sha256> sha256;
  if (rule == ReadyRule::marker) {
    auto verdict = judge_marker(*drop_, {spot.name, spot.look, settled}, settling_, steady_.now(),
                                file_system_now);
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
  return judge(*drop_, spot.place, spot.name, spot.look, settings_.max_message, sha256);
}

// By `stable` a file must be seen to stay as it is; that it is old is not enough.
std::int64_t DirectoryIngress::time_by(ReadyRule rule) const {
  return rule == ReadyRule::stable ? 0 : file_system_now_;
}

bool DirectoryIngress::has_stopped_growing(const Spot& spot) {
  return settling_.wait_for_more(spot.name, spot.look, steady_.now(),
                                 time_by(settings_.directory()->ready)) == Readiness::settled;
}

Job DirectoryIngress::job_of(const Spot& spot, Bytes message) const {
  Job job;
  job.id = make_job_id({view_of(channel()), arrival_of(spot.look), message});
  job.envelope.channel = channel();
  job.envelope.source = whole_name(spot.name);
  job.envelope.reply.channel = channel();
  job.envelope.reply.address = return_address_;
  job.envelope.reply.name = whole_name(stem_of(spot.name));
  job.payload = std::move(message);
  return job;
}

void DirectoryIngress::move_markers(const std::string& name, Place to) {
  if (settings_.directory()->ready != ReadyRule::marker) return;
  for (const auto& marker : markers_of(name)) {
    if (const auto look = drop_->look(Place::in, marker); look && *look) {
      // One that stays is older than any file of that name that comes, and so tells nothing.
      (void)drop_->move(Place::in, marker, to, to_hex(arrival_of(**look)));
    }
    settling_.forget(marker);
  }
}

// One that lies in .work since it could not be moved to .done: its request is in the queue, so that
// it is not read again.
bool DirectoryIngress::is_deposited(const Spot& spot) {
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
void DirectoryIngress::let_go(const std::string& name, const JobId& id) {
  in_work_.forget(name);
  const auto moved = drop_->move(Place::work, name, Place::done, id.text());
  const auto look = moved ? Result<std::optional<Look>>() : drop_->look(Place::work, name);
  if (!look) return report({Place::work, name, {}}, look.error().what, look.error().hint);
  if (!*look) {
    deposited_.erase(name);
    return;
  }
  const auto why = "its request is in the queue, but " + moved.error().what;
  const bool news =
      deposited_.insert_or_assign(name, Deposited{arrival_of(**look), id, why}).second;
  if (!news) return;
  log::warning("input.stuck", {{"channel", channel()},
                               {"source", printable(name)},
                               {"reason", why},
                               {"hint", moved.error().hint}});
}

// A request that was answered long ago lies in `in` once more: somebody wants the answer again, as
// `mv in/.done/x.pki in/` and `rsync -t` do. With its old time it would be the arrival that is
// known. In .work, on the other hand, lies what a crash has left.
Result<std::optional<DirectoryIngress::Claimed>> DirectoryIngress::claim_anew(const Spot& spot,
                                                                              Bytes message) {
  const auto before = arrival_of(spot.look);
  const auto old = job_of(spot, message).id;
  log::info("job.again",
            {{"job", old.text()}, {"channel", channel()}, {"source", whole_name(spot.name)}});
  if (!drop_->renew(spot.name)) return copy_anew(spot, std::move(message), old);
  const auto look = drop_->look(Place::in, spot.name);
  if (!look) {
    report(spot, look.error().what, look.error().hint);
    return std::nullopt;
  }
  if (!*look || (*look)->inode != spot.look.inode || arrival_of(**look) == before) {
    settling_.announce(spot.name);
    return std::nullopt;
  }
  return claim({Place::in, spot.name, **look}, std::move(message));
}

// The file belongs to somebody else, and its time can be set by nobody else. A crash between the
// two steps makes one more answer of the same octets.
Result<std::optional<DirectoryIngress::Claimed>> DirectoryIngress::copy_anew(const Spot& spot,
                                                                             Bytes message,
                                                                             const JobId& old) {
  const auto name = "again-" + old.text() + ".pki";
  if (auto made = replace_file_at(drop_->at(Place::work), name, message, 0640); !made) {
    report(spot, made.error().what, made.error().hint);
    return std::nullopt;
  }
  if (auto moved = drop_->move(Place::in, spot.name, Place::done, old.text()); !moved) {
    ::unlinkat(drop_->at(Place::work).get(), name.c_str(), 0);
    report(spot, moved.error().what, moved.error().hint);
    return std::nullopt;
  }
  settling_.forget(spot.name);
  move_markers(spot.name, Place::done);
  const auto look = drop_->look(Place::work, name);
  if (!look || !*look) return std::nullopt;  // a scan finds it there
  return Claimed{name, job_of({Place::work, spot.name, **look}, std::move(message))};
}

Result<std::optional<DirectoryIngress::Claimed>> DirectoryIngress::claim(const Spot& spot,
                                                                         Bytes message) {
  Claimed claimed{spot.name, job_of(spot, std::move(message))};
  if (spot.place == Place::work) return claimed;
  ASSIGN_OR_RETURN(const auto known, requests_.find(claimed.job.id));
  if (known && known->state == JobState::done) {
    return claim_anew(spot, std::move(claimed.job.payload));
  }

  auto moved = drop_->move(spot.place, spot.name, Place::work, claimed.job.id.text());
  if (!moved) {
    const auto there = drop_->look(spot.place, spot.name);
    if (!there || *there) report(spot, moved.error().what, moved.error().hint);
    return std::nullopt;
  }
  crash_point("watcher.claimed");
  settling_.forget(spot.name);
  move_markers(spot.name, Place::done);
  claimed.name = std::move(*moved);
  // The name may have come to mean another file since it was read; that one is judged from .work.
  const auto look = drop_->look(Place::work, claimed.name);
  if (look && *look && (*look)->inode == spot.look.inode && (*look)->size == spot.look.size &&
      (*look)->mtime_nanos == spot.look.mtime_nanos) {
    return claimed;
  }
  in_work_.announce(claimed.name);
  return std::nullopt;
}

Result<Intake> DirectoryIngress::deposit(std::vector<Claimed> group) {
  Intake intake;
  if (group.empty()) return intake;
  std::vector<Job> jobs;
  for (auto& claimed : group) jobs.push_back(std::move(claimed.job));
  ASSIGN_OR_RETURN(const auto fresh, requests_.put(jobs));
  crash_point("watcher.deposited");
  for (std::size_t i = 0; i < group.size(); ++i) {
    const auto& name = group[i].name;
    let_go(name, jobs[i].id);
    crash_point("watcher.done");
    log_arrival(jobs[i]);
  }
  TRY(drop_->sync());
  intake.deposited = group.size();
  intake.known = group.size() - fresh;
  return intake;
}

void DirectoryIngress::log_arrival(const Job& job) const {
  log::info("job.arrived", {{"job", job.id.text()},
                            {"channel", channel()},
                            {"source", job.envelope.source},
                            {"octets", job.payload.size()}});
}

Result<void> DirectoryIngress::quarantine(const Spot& spot, const Finding& finding,
                                          Intake& intake) {
  Job job = job_of(spot, {});
  job.id = make_job_id({view_of(channel()), arrival_of(spot.look), view_of("quarantine")});
  TRY(requests_.put_held(job, to_string(Error{Recovery::hold, finding.reason, finding.hint})));
  crash_point("watcher.held");
  auto moved =
      drop_->move(spot.place, spot.name, Place::quarantine, job.id.text(), kReasonEnding.size());
  if (!moved) {
    report(spot, finding.reason + "; " + moved.error().what, moved.error().hint);
    return {};
  }
  crash_point("watcher.quarantined");
  settling(spot.place).forget(spot.name);
  if (is_taken_list(spot)) stuck_lists_.erase(spot.name);
  if (spot.place == Place::in) move_markers(spot.name, Place::quarantine);
  write_reason(*moved, spot.name, finding, job.id);
  ++intake.quarantined;
  log::warning("input.quarantined", {{"job", job.id.text()},
                                     {"channel", channel()},
                                     {"source", job.envelope.source},
                                     {"reason", finding.reason}});
  return {};
}

void DirectoryIngress::report(const Spot& spot, const std::string& reason,
                              const std::string& hint) {
  const bool news = is_taken_list(spot) ? stuck_lists_.insert_or_assign(spot.name, reason).second
                                        : settling(spot.place).first_report(spot.name, reason);
  if (!news) return;
  log::warning("input.stuck", {{"channel", channel()},
                               {"source", printable(spot.name)},
                               {"reason", reason},
                               {"hint", hint}});
}

}  // namespace cmpost
