#include "watcher/directory_ingress.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/log.h"
#include "watcher/file_names.h"

namespace cmpost {
namespace {

using Place = DropDirectory::Place;

constexpr std::size_t kGroupJobs = 500;
constexpr std::size_t kGroupOctets = std::size_t{8} << 20U;
constexpr std::size_t kListingPart = 20'000;
constexpr std::size_t kMostSightings = 200'000;
constexpr Duration kPurgeInterval = std::chrono::hours(1);

}  // namespace

DirectoryIngress::DirectoryIngress(const ChannelSettings& settings, JobQueue& requests,
                                   const Clock& wall, const Clock& steady, const Clock* sure)
    : settings_(settings),
      requests_(requests),
      wall_(wall),
      sure_(sure != nullptr ? *sure : wall),
      steady_(steady),
      settling_(settings.directory()->settle),
      in_work_(settings.directory()->settle),
      gate_(settings_, requests, steady),
      unlisted_(settings.state, "unlisted", NoteKind::warning),
      left_alone_(settings) {}

Result<Intake> DirectoryIngress::poll(const std::stop_token& stop) {
  TRY(ensure_open());
  note_events();
  TRY(gate_.allowance());
  file_system_now_ = drop_->file_system_now();
  const bool due = steady_.now() >= next_scan_;
  auto intake = due ? scan(stop) : take_announced(stop);
  if (!intake) {
    next_scan_ = Time::min();  // what was claimed lies in .work
    return intake;
  }
  if (due) TRY(set_aside_refused());
  if (due && steady_.now() >= next_purge_) purge();
  intake->settling = settling_.unsettled() + in_work_.unsettled();
  intake->stuck = settling_.stuck() + in_work_.stuck() + deposited_.size() + stuck_lists_.size() +
                  (gate_.needs_help() ? 1 : 0);
  intake->paused = gate_.closed() && !gate_.needs_help();
  return intake;
}

LookedAt DirectoryIngress::looked_at() const {
  LookedAt found{.stuck = settling_.stuck_inputs(), .without_request = 0};
  const auto add = [&](const std::string& name, const std::string& why) {
    found.stuck.push_back({name, why, 0, std::nullopt});
  };
  for (const auto& input : in_work_.stuck_inputs()) add(".work/" + input.what, input.why);
  for (const auto& [name, list] : incomplete_lists_) add(name, list.why);
  for (const auto& [name, file] : deposited_) add(".work/" + name, file.why);
  for (const auto& [name, why] : stuck_lists_) add(".work/" + name, why);
  return found;
}

void DirectoryIngress::wait(Duration time_out, const std::stop_token& stop) {
  const auto now = steady_.now();
  const auto look = std::min({next_scan_, settling_.next_look(), in_work_.next_look()});
  const auto until = std::min(now + time_out, gate_.closed() ? gate_.opens() : look);
  if (until > now) watch_.wait(until - now, stop);
}

Result<void> DirectoryIngress::ensure_open() {
  if (drop_ && drop_->is_current()) return {};
  drop_.reset();
  ASSIGN_OR_RETURN(drop_, DropDirectory::open(settings_.directory()->in));
  // Before the first scan, so that nothing appears between the two.
  if (watches_) start_watching();
  settling_.keep_only({});
  in_work_.keep_only({});
  deposited_.clear();
  stuck_lists_.clear();
  incomplete_lists_.clear();
  next_scan_ = Time::min();
  return {};
}

void DirectoryIngress::start_watching() {
  bool events = drop_->kind().tells_events;
  if (events) {
    events = watch_.watch(settings_.directory()->in);
  } else {
    watch_.stop();
  }
  log::info("channel.watched", {{"channel", channel()},
                                {"directory", settings_.directory()->in},
                                {"file_system", drop_->kind().text()},
                                {"by", events ? "events" : "polling"}});
}

void DirectoryIngress::note_events() {
  const auto events = watch_.read();
  for (const auto& name : events.complete) note_event(name, true);
  for (const auto& name : events.appeared) note_event(name, false);
  if (events.overflow || events.gone) next_scan_ = Time::min();
  if (events.overflow) log::info("channel.events_lost", {{"channel", channel()}});
}

void DirectoryIngress::note_event(const std::string& name, bool complete) {
  if (is_ignored(name)) return;
  const auto rule = settings_.directory()->ready;
  if (rule == ReadyRule::manifest) {
    // A list, or perhaps what an incomplete list waits for.
    if (!is_list_name(name) && !incomplete_lists_.empty()) next_scan_ = Time::min();
    if (!is_list_name(name)) return;
  }
  complete ? settling_.announce(name) : settling_.notice(name);
  // What a marker tells is news of its file.
  const auto marked = rule == ReadyRule::marker ? marked_file(name) : std::nullopt;
  if (marked) settling_.announce(*marked);
}

std::optional<DirectoryIngress::Spot> DirectoryIngress::spot(Place place, const std::string& name) {
  if (place == Place::in && is_ignored(name)) return std::nullopt;
  // A marker is looked at with its file.
  if (settings_.directory()->ready == ReadyRule::marker && marked_file(name)) return std::nullopt;
  const auto found = drop_->look(place, name);
  if (!found) {
    report({place, name, {}}, found.error().what, found.error().hint);
    return std::nullopt;
  }
  const auto& look = *found;
  const bool left_alone = look && S_ISDIR(look->type) && !is_request_name(name);
  if (look && !left_alone) return Spot{place, name, *look};
  if (left_alone && place == Place::in) left_alone_.folder(name);
  settling(place).forget(name);
  return std::nullopt;
}

Result<Intake> DirectoryIngress::scan(const std::stop_token& stop) {
  const auto started = steady_.now();
  left_alone_.begin();
  const bool lists = settings_.directory()->ready == ReadyRule::manifest;
  std::set<std::string> seen, in_work;
  ASSIGN_OR_RETURN(Intake intake, scan_place(Place::work, in_work, stop));
  ASSIGN_OR_RETURN(const Intake more, lists ? take_lists(stop) : scan_place(Place::in, seen, stop));
  intake += more;
  // Until the gate opens nothing is known of what was not looked at.
  if (stop.stop_requested() || gate_.closed()) return intake;
  in_work_.keep_only(in_work);
  if (!lists) settling_.keep_only(seen);
  if (!lists) unlisted_.clear();  // of a time when the channel had another rule
  left_alone_.tell(settings_.directory()->in);
  const auto gone = [&](const auto& one) {
    const auto look = drop_->look(Place::work, one.first);
    return look && !*look;
  };
  std::erase_if(deposited_, gone);
  std::erase_if(stuck_lists_, gone);
  next_scan_ = started + settings_.directory()->poll;
  return intake;
}

Result<Intake> DirectoryIngress::scan_place(Place place, std::set<std::string>& seen,
                                            const std::stop_token& stop) {
  Intake intake;
  ASSIGN_OR_RETURN(auto listing, Listing::start(drop_->at(place)));
  while (!stop.stop_requested() && !gate_.closed()) {
    ASSIGN_OR_RETURN(const auto names, listing.next(kListingPart));
    if (names.empty()) break;
    std::vector<Spot> spots;
    for (const auto& name : names) {
      if (auto found = spot(place, name)) spots.push_back(std::move(*found));
    }
    ASSIGN_OR_RETURN(const Intake part, take(std::move(spots), stop));
    intake += part;
    for (const auto& name : names) {
      if (settling(place).knows(name)) seen.insert(name);
    }
    if (seen.size() > kMostSightings) {
      left_alone_.more("more than " + std::to_string(kMostSightings) +
                       " files wait to become complete");
      break;
    }
  }
  return intake;
}

Result<Intake> DirectoryIngress::take_announced(const std::stop_token& stop) {
  if (gate_.closed()) return Intake{};
  const bool lists = settings_.directory()->ready == ReadyRule::manifest;
  std::vector<Spot> spots;
  for (const auto place : {Place::work, Place::in}) {
    if (place == Place::in && lists) continue;
    for (const auto& name : settling(place).worth_a_look(steady_.now())) {
      if (auto found = spot(place, name)) spots.push_back(std::move(*found));
    }
  }
  ASSIGN_OR_RETURN(Intake intake, take(std::move(spots), stop));
  if (!lists) return intake;
  ASSIGN_OR_RETURN(const Intake more, take_lists(stop));
  intake += more;
  return intake;
}

// Oldest first: messages of one transaction keep their order.
Result<Intake> DirectoryIngress::take(std::vector<Spot> spots, const std::stop_token& stop) {
  std::sort(spots.begin(), spots.end(), [](const Spot& a, const Spot& b) {
    return std::tie(a.look.mtime_nanos, a.name) < std::tie(b.look.mtime_nanos, b.name);
  });
  Intake intake;
  std::vector<Claimed> group;
  std::size_t octets = 0;
  ASSIGN_OR_RETURN(auto allowed, gate_.allowance());
  const auto deposit_group = [&]() -> Result<void> {
    ASSIGN_OR_RETURN(const Intake deposited, deposit(std::exchange(group, {})));
    intake += deposited;
    octets = 0;
    ASSIGN_OR_RETURN(allowed, gate_.allowance());
    return {};
  };
  for (const auto& spot : spots) {
    if (stop.stop_requested() || allowed == 0) break;
    ASSIGN_OR_RETURN(auto claimed, take_one(spot, intake));
    if (!claimed) continue;
    gate_.took(1);
    octets += claimed->job.payload.size();
    group.push_back(std::move(*claimed));
    const bool full = group.size() == kGroupJobs || octets >= kGroupOctets;
    if (full || group.size() == allowed) TRY(deposit_group());
  }
  TRY(deposit_group());
  return intake;
}

void DirectoryIngress::purge() {
  next_purge_ = steady_.now() + kPurgeInterval;
  const auto sweep = [&](Place place, Duration keep) {
    if (keep == Duration::zero()) return;
    const auto before =
        std::chrono::floor<std::chrono::seconds>(sure_.now() - keep).time_since_epoch().count();
    drop_->purge(place, before);
  };
  sweep(Place::done, settings_.directory()->done_keep);
  sweep(Place::quarantine, settings_.directory()->quarantine_keep);
}

}  // namespace cmpost
