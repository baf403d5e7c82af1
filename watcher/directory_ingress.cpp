#include "watcher/directory_ingress.h"

#include <algorithm>

#include "base/log.h"
#include "watcher/file_names.h"
#include "watcher/listed_files.h"
#include "watcher/marker.h"

namespace cmpost {
namespace {

using Place = DropDirectory::Place;

constexpr std::size_t kListingPart = 20'000;
constexpr std::size_t kMostSightings = 200'000;
constexpr Duration kPurgeInterval = std::chrono::hours(1);

}  // namespace

DirectoryIngress::DirectoryIngress(const ChannelSettings& settings, JobQueue& requests,
                                   const Clock& wall, const Clock& steady, const Clock* sure)
    : input_(settings, requests, wall, steady), sure_(sure != nullptr ? *sure : wall) {}

Result<Intake> DirectoryIngress::poll(const std::stop_token& stop) {
  TRY(ensure_open());
  note_events();
  TRY(input_.deposit.ask_gate());
  input_.file_system_now = input_.drop->file_system_now();
  const bool due = input_.steady.now() >= next_scan_;
  auto intake = due ? scan(stop) : take_announced(stop);
  if (!intake) {
    next_scan_ = Time::min();  // what was claimed lies in .work
    return intake;
  }
  if (due) TRY(refused_.set_aside());
  if (due && input_.steady.now() >= next_purge_) purge();
  intake->settling = input_.in.unsettled() + input_.in_work.unsettled();
  intake->stuck =
      input_.in.stuck() + input_.in_work.stuck() + files_.stuck() + input_.stuck_lists.size();
  input_.deposit.tell_gate(*intake);
  return intake;
}

LookedAt DirectoryIngress::looked_at() const {
  LookedAt found{.stuck = input_.in.stuck_inputs(), .without_request = 0};
  const auto add = [&](const std::string& name, const std::string& why) {
    found.stuck.push_back({name, why, 0, std::nullopt});
  };
  for (const auto& input : input_.in_work.stuck_inputs()) add(".work/" + input.what, input.why);
  lists_.add_stuck(found);
  files_.add_stuck(found);
  for (const auto& [name, why] : input_.stuck_lists) add(".work/" + name, why);
  return found;
}

void DirectoryIngress::wait(Duration time_out, const std::stop_token& stop) {
  const auto now = input_.steady.now();
  const auto look = std::min({next_scan_, input_.in.next_look(), input_.in_work.next_look()});
  const auto until =
      std::min(now + time_out, input_.deposit.closed() ? input_.deposit.opens() : look);
  if (until > now) watch_.wait(until - now, stop);
}

Result<void> DirectoryIngress::ensure_open() {
  if (input_.drop && input_.drop->is_current()) return {};
  input_.drop.reset();
  ASSIGN_OR_RETURN(input_.drop, DropDirectory::open(input_.settings.directory()->in));
  // Before the first scan, so that nothing appears between the two.
  if (watches_) start_watching();
  input_.in.keep_only({});
  input_.in_work.keep_only({});
  files_.forget();
  input_.stuck_lists.clear();
  lists_.forget();
  next_scan_ = Time::min();
  return {};
}

void DirectoryIngress::start_watching() {
  bool events = input_.drop->kind().tells_events;
  if (events) {
    events = watch_.watch(input_.settings.directory()->in);
  } else {
    watch_.stop();
  }
  log::info("channel.watched", {{"channel", input_.channel()},
                                {"directory", input_.settings.directory()->in},
                                {"file_system", input_.drop->kind().text()},
                                {"by", events ? "events" : "polling"}});
}

void DirectoryIngress::note_events() {
  const auto events = watch_.read();
  for (const auto& name : events.complete) note_event(name, true);
  for (const auto& name : events.appeared) note_event(name, false);
  if (events.overflow || events.gone) next_scan_ = Time::min();
  if (events.overflow) log::info("channel.events_lost", {{"channel", input_.channel()}});
}

void DirectoryIngress::note_event(const std::string& name, bool complete) {
  if (is_ignored(name)) return;
  const auto rule = input_.settings.directory()->ready;
  if (rule == ReadyRule::manifest) {
    // A list, or perhaps what an incomplete list waits for.
    if (!is_list_name(name) && lists_.waits()) next_scan_ = Time::min();
    if (!is_list_name(name)) return;
  }
  complete ? input_.in.announce(name) : input_.in.notice(name);
  // What a marker tells is news of its file.
  const auto marked = rule == ReadyRule::marker ? marked_file(name) : std::nullopt;
  if (marked) input_.in.announce(*marked);
}

Result<Intake> DirectoryIngress::scan(const std::stop_token& stop) {
  const auto started = input_.steady.now();
  input_.left_alone.begin();
  const bool lists = input_.settings.directory()->ready == ReadyRule::manifest;
  std::set<std::string> seen, in_work;
  ASSIGN_OR_RETURN(Intake intake, scan_place(Place::work, in_work, stop));
  ASSIGN_OR_RETURN(const Intake more,
                   lists ? lists_.take(stop) : scan_place(Place::in, seen, stop));
  intake += more;
  // Until the gate opens nothing is known of what was not looked at.
  if (stop.stop_requested() || input_.deposit.closed()) return intake;
  input_.in_work.keep_only(in_work);
  if (!lists) input_.in.keep_only(seen);
  if (!lists) lists_.forget_note();  // of a time when the channel had another rule
  input_.left_alone.tell(input_.settings.directory()->in);
  const auto gone = [&](const auto& one) {
    const auto look = input_.drop->look(Place::work, one.first);
    return look && !*look;
  };
  files_.forget_gone();
  std::erase_if(input_.stuck_lists, gone);
  next_scan_ = started + input_.settings.directory()->poll;
  return intake;
}

Result<Intake> DirectoryIngress::scan_place(Place place, std::set<std::string>& seen,
                                            const std::stop_token& stop) {
  Intake intake;
  ASSIGN_OR_RETURN(auto listing, Listing::start(input_.drop->at(place)));
  while (!stop.stop_requested() && !input_.deposit.closed()) {
    ASSIGN_OR_RETURN(const auto names, listing.next(kListingPart));
    if (names.empty()) break;
    std::vector<Spot> spots;
    for (const auto& name : names) {
      if (auto found = input_.spot(place, name)) spots.push_back(std::move(*found));
    }
    ASSIGN_OR_RETURN(const Intake part, take(std::move(spots), stop));
    intake += part;
    for (const auto& name : names) {
      if (input_.settling(place).knows(name)) seen.insert(name);
    }
    if (seen.size() > kMostSightings) {
      input_.left_alone.more("more than " + std::to_string(kMostSightings) +
                             " files wait to become complete");
      break;
    }
  }
  return intake;
}

Result<Intake> DirectoryIngress::take_announced(const std::stop_token& stop) {
  if (input_.deposit.closed()) return Intake{};
  const bool lists = input_.settings.directory()->ready == ReadyRule::manifest;
  std::vector<Spot> spots;
  for (const auto place : {Place::work, Place::in}) {
    if (place == Place::in && lists) continue;
    for (const auto& name : input_.settling(place).worth_a_look(input_.steady.now())) {
      if (auto found = input_.spot(place, name)) spots.push_back(std::move(*found));
    }
  }
  ASSIGN_OR_RETURN(Intake intake, take(std::move(spots), stop));
  if (!lists) return intake;
  ASSIGN_OR_RETURN(const Intake more, lists_.take(stop));
  intake += more;
  return intake;
}

// Oldest first: messages of one transaction keep their order.
Result<Intake> DirectoryIngress::take(std::vector<Spot> spots, const std::stop_token& stop) {
  std::sort(spots.begin(), spots.end(), [](const Spot& a, const Spot& b) {
    return std::tie(a.look.mtime_nanos, a.name) < std::tie(b.look.mtime_nanos, b.name);
  });
  Intake intake;
  std::vector<FileInput::Claimed> group;
  ASSIGN_OR_RETURN(auto room, input_.deposit.room());
  const auto deposit_group = [&]() -> Result<void> {
    TRY(files_.deposit(std::exchange(group, {}), intake));
    ASSIGN_OR_RETURN(room, input_.deposit.room());
    return {};
  };
  for (const auto& spot : spots) {
    if (stop.stop_requested() || input_.deposit.closed()) break;
    if (input_.is_taken_list(spot)) {
      TRY(taken_lists_.resume(spot, intake));
      continue;
    }
    ASSIGN_OR_RETURN(auto claimed, files_.take(spot, intake));
    if (!claimed) continue;
    room.take(claimed->job.payload.size());
    group.push_back(std::move(*claimed));
    if (room.full()) TRY(deposit_group());
  }
  TRY(deposit_group());
  return intake;
}

void DirectoryIngress::purge() {
  next_purge_ = input_.steady.now() + kPurgeInterval;
  const auto sweep = [&](Place place, Duration keep) {
    if (keep == Duration::zero()) return;
    const auto before =
        std::chrono::floor<std::chrono::seconds>(sure_.now() - keep).time_since_epoch().count();
    input_.drop->purge(place, before);
  };
  sweep(Place::done, input_.settings.directory()->done_keep);
  sweep(Place::quarantine, input_.settings.directory()->quarantine_keep);
}

}  // namespace cmpost
