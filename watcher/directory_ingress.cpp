#include "watcher/directory_ingress.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/crash_point.h"
#include "base/log.h"
#include "watcher/arrival.h"
#include "watcher/file_names.h"

namespace cmpost {
namespace {

using Place = DropDirectory::Place;

constexpr std::size_t kGroupJobs = 500;
constexpr std::size_t kGroupOctets = std::size_t{8} << 20U;
constexpr std::size_t kListingPart = 20'000;
constexpr Duration kPurgeInterval = std::chrono::hours(1);

// Files in .work and in `in` may have one name; Settling tells them apart by a slash.
std::string key_of(Place place, const std::string& name) {
  return place == Place::work ? "/" + name : name;
}

Envelope envelope_of(const std::string& channel, const std::string& name) {
  Envelope envelope;
  envelope.channel = channel;
  envelope.source = printable(name);
  envelope.reply.channel = channel;
  envelope.reply.name = printable(stem_of(name));
  return envelope;
}

}  // namespace

DirectoryIngress::DirectoryIngress(const ChannelSettings& settings, JobQueue& requests,
                                   const Clock& wall, const Clock& steady)
    : settings_(settings),
      requests_(requests),
      wall_(wall),
      steady_(steady),
      settling_(settings.directory.settle) {}

Result<Intake> DirectoryIngress::poll(const std::stop_token& stop) {
  TRY(ensure_open());
  note_events();
  file_system_now_ = drop_->file_system_now();
  const bool due = steady_.now() >= next_scan_;
  auto intake = due ? scan(stop) : take_announced(stop);
  if (!intake) {
    next_scan_ = Time::min();  // what was claimed lies in .work
    return intake;
  }
  if (due) TRY(set_aside_refused());
  if (due && steady_.now() >= next_purge_) purge();
  intake->settling = settling_.unsettled();
  intake->stuck = settling_.stuck();
  return intake;
}

void DirectoryIngress::wait(Duration time_out, const std::stop_token& stop) {
  const auto now = steady_.now();
  const auto until = std::min({now + time_out, next_scan_, settling_.next_look()});
  if (until > now) watch_.wait(until - now, stop);
}

Result<void> DirectoryIngress::ensure_open() {
  if (drop_ && drop_->is_current()) return {};
  drop_.reset();
  // Watch first, so that nothing appears between the scan and the watch.
  if (!watch_.watch(settings_.directory.in)) {
    log::debug("channel.polled", {{"channel", channel()}, {"reason", "no events here"}});
  }
  ASSIGN_OR_RETURN(drop_, DropDirectory::open(settings_.directory.in));
  settling_.keep_only({});
  next_scan_ = Time::min();
  return {};
}

void DirectoryIngress::note_events() {
  const auto events = watch_.read();
  for (const auto& name : events.complete) {
    if (!is_ignored(name)) settling_.announce(name);
  }
  for (const auto& name : events.appeared) {
    if (!is_ignored(name)) settling_.notice(name);
  }
  if (events.overflow || events.gone) next_scan_ = Time::min();
}

std::optional<DirectoryIngress::Spot> DirectoryIngress::spot(Place place, const std::string& name) {
  if (place == Place::in && is_ignored(name)) return std::nullopt;
  const auto look = drop_->look(place, name);
  const bool left_alone = look && S_ISDIR(look->type) && !is_request_name(name);
  if (look && !left_alone) return Spot{place, name, *look};
  settling_.forget(key_of(place, name));
  return std::nullopt;
}

Result<Intake> DirectoryIngress::scan(const std::stop_token& stop) {
  const auto started = steady_.now();
  std::set<std::string> seen;
  ASSIGN_OR_RETURN(Intake intake, scan_place(Place::work, seen, stop));
  ASSIGN_OR_RETURN(const Intake more, scan_place(Place::in, seen, stop));
  intake += more;
  if (stop.stop_requested()) return intake;
  settling_.keep_only(seen);
  next_scan_ = started + settings_.directory.poll;
  return intake;
}

Result<Intake> DirectoryIngress::scan_place(Place place, std::set<std::string>& seen,
                                            const std::stop_token& stop) {
  Intake intake;
  ASSIGN_OR_RETURN(auto listing, Listing::start(drop_->at(place)));
  for (auto names = listing.next(kListingPart); !names.empty() && !stop.stop_requested();
       names = listing.next(kListingPart)) {
    std::vector<Spot> spots;
    for (const auto& name : names) {
      if (auto found = spot(place, name)) spots.push_back(std::move(*found));
    }
    ASSIGN_OR_RETURN(const Intake part, take(std::move(spots), stop));
    intake += part;
    for (const auto& name : names) {
      if (settling_.knows(key_of(place, name))) seen.insert(key_of(place, name));
    }
  }
  return intake;
}

Result<Intake> DirectoryIngress::take_announced(const std::stop_token& stop) {
  std::vector<Spot> spots;
  for (const auto& key : settling_.worth_a_look(steady_.now())) {
    const bool work = key.front() == '/';
    auto found = spot(work ? Place::work : Place::in, work ? key.substr(1) : key);
    if (found) spots.push_back(std::move(*found));
  }
  return take(std::move(spots), stop);
}

// Oldest first: messages of one transaction keep their order.
Result<Intake> DirectoryIngress::take(std::vector<Spot> spots, const std::stop_token& stop) {
  std::sort(spots.begin(), spots.end(), [](const Spot& a, const Spot& b) {
    return std::tie(a.look.mtime_nanos, a.name) < std::tie(b.look.mtime_nanos, b.name);
  });
  Intake intake;
  std::vector<Claimed> group;
  std::size_t octets = 0;
  const auto deposit_group = [&]() -> Result<void> {
    ASSIGN_OR_RETURN(const Intake deposited, deposit(group));
    intake += deposited;
    group.clear();
    octets = 0;
    return {};
  };
  for (const auto& spot : spots) {
    if (stop.stop_requested()) break;
    ASSIGN_OR_RETURN(auto claimed, take_one(spot, intake));
    if (!claimed) continue;
    octets += claimed->job.payload.size();
    group.push_back(std::move(*claimed));
    if (group.size() == kGroupJobs || octets >= kGroupOctets) TRY(deposit_group());
  }
  TRY(deposit_group());
  return intake;
}

Result<std::optional<DirectoryIngress::Claimed>> DirectoryIngress::take_one(const Spot& spot,
                                                                            Intake& intake) {
  const auto key = key_of(spot.place, spot.name);
  // What lies in .work was complete when it was claimed.
  if (spot.place == Place::work) settling_.announce(key);
  const auto readiness = settling_.look_at(key, spot.look, steady_.now(), file_system_now_);
  const bool settled = readiness == Readiness::settled;
  if (readiness == Readiness::unsettled || (spot.look.links > 1 && !settled)) return std::nullopt;
  auto finding = judge(*drop_, spot.place, spot.name, spot.look, settings_.max_message);
  switch (finding.what) {
    case Finding::What::take:
      return claim(spot, std::move(finding.message));
    case Finding::What::bad_now:
      if (settled) TRY(quarantine(spot, finding, intake));
      break;
    case Finding::What::retry:
      if (settled) report(spot, finding.reason, finding.hint);
      break;
    case Finding::What::gone:
      settling_.forget(key);
      break;
  }
  return std::nullopt;
}

std::optional<DirectoryIngress::Claimed> DirectoryIngress::claim(const Spot& spot, Bytes message) {
  Claimed claimed{spot.name, {}};
  claimed.job.id = make_job_id({view_of(channel()), arrival_of(spot.look), message});
  claimed.job.envelope = envelope_of(channel(), spot.name);
  claimed.job.payload = std::move(message);
  if (spot.place == Place::work) return claimed;

  auto moved = drop_->move(spot.place, spot.name, Place::work, claimed.job.id.text());
  if (!moved) {
    if (drop_->look(spot.place, spot.name)) report(spot, moved.error().what, moved.error().hint);
    return std::nullopt;
  }
  crash_point("watcher.claimed");
  settling_.forget(spot.name);
  claimed.name = std::move(*moved);
  // The name may have come to mean another file since it was read; that one is judged from .work.
  const auto look = drop_->look(Place::work, claimed.name);
  if (look && look->inode == spot.look.inode && look->size == spot.look.size &&
      look->mtime_nanos == spot.look.mtime_nanos) {
    return claimed;
  }
  settling_.announce(key_of(Place::work, claimed.name));
  return std::nullopt;
}

Result<Intake> DirectoryIngress::deposit(const std::vector<Claimed>& group) {
  Intake intake;
  if (group.empty()) return intake;
  std::vector<Job> jobs;
  for (const auto& claimed : group) jobs.push_back(claimed.job);
  ASSIGN_OR_RETURN(const auto fresh, requests_.put(jobs));
  crash_point("watcher.deposited");
  for (const auto& claimed : group) {
    settling_.forget(key_of(Place::work, claimed.name));
    // A file that somebody has removed meanwhile needs no place in .done.
    (void)drop_->move(Place::work, claimed.name, Place::done, claimed.job.id.text());
    crash_point("watcher.done");
    log::info("job.arrived", {{"job", claimed.job.id.text()},
                              {"channel", channel()},
                              {"source", claimed.job.envelope.source},
                              {"octets", claimed.job.payload.size()}});
  }
  TRY(drop_->sync());
  intake.deposited = group.size();
  intake.known = group.size() - fresh;
  return intake;
}

Result<void> DirectoryIngress::quarantine(const Spot& spot, const Finding& finding,
                                          Intake& intake) {
  Job job;
  job.id = make_job_id({view_of(channel()), arrival_of(spot.look), view_of("quarantine")});
  job.envelope = envelope_of(channel(), spot.name);
  TRY(requests_.put_held(job, to_string(Error{Recovery::hold, finding.reason, finding.hint})));
  crash_point("watcher.held");
  auto moved =
      drop_->move(spot.place, spot.name, Place::quarantine, job.id.text(), kReasonEnding.size());
  if (!moved) {
    report(spot, finding.reason + "; " + moved.error().what, moved.error().hint);
    return {};
  }
  crash_point("watcher.quarantined");
  settling_.forget(key_of(spot.place, spot.name));
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
  if (!settling_.first_report(key_of(spot.place, spot.name))) return;
  log::warning("input.stuck", {{"channel", channel()},
                               {"source", printable(spot.name)},
                               {"reason", reason},
                               {"hint", hint}});
}

void DirectoryIngress::purge() {
  next_purge_ = steady_.now() + kPurgeInterval;
  const auto sweep = [&](Place place, Duration keep) {
    if (keep == Duration::zero()) return;
    const auto before =
        std::chrono::floor<std::chrono::seconds>(wall_.now() - keep).time_since_epoch().count();
    drop_->purge(place, before);
  };
  sweep(Place::done, settings_.directory.done_keep);
  sweep(Place::quarantine, settings_.directory.quarantine_keep);
}

}  // namespace cmpost
