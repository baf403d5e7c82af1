#include "sftp/sftp_ingress.h"

#include <algorithm>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/pause.h"
#include "sftp/remote_name.h"
#include "watcher/file_names.h"
#include "watcher/log_stuck.h"
#include "watcher/marker.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kNamesAtATime = 5'000;
constexpr std::size_t kMostNames = 1'000'000;
constexpr std::size_t kMostUnsettled = 100'000;
constexpr Duration kKeepAlive = 15s;

// As a local file would look; times of servers are whole seconds.
Look look_of(const RemoteLook& look) {
  Look local;
  local.size = look.size.value_or(0);
  local.mtime_nanos = std::int64_t{look.mtime.value_or(0)} * 1'000'000'000;
  local.type = look.mode.value_or(0);
  return local;
}

RemoteEntry entry_of(const auto& found) { return {found.name, found.look}; }

}  // namespace

SftpIngress::SftpIngress(const ChannelSettings& settings, JobQueue& requests, const Clock& wall,
                         const Clock& steady, SftpDial dial)
    : settings_(settings),
      wall_(wall),
      steady_(steady),
      sessions_(settings.sftp()->fetch, *settings.sftp(), steady, std::move(dial)),
      deposit_(settings_, requests, steady),
      settling_(settings.sftp()->settle),
      left_alone_(settings) {}

Result<Intake> SftpIngress::poll(const std::stop_token& stop) {
  const SftpSessions::Stoppable stoppable(sessions_, stop);
  TRY(prepare());
  const auto started = steady_.now();
  trouble_.reset();
  TRY(deposit_.ask_gate());
  auto intake = deposit_.closed() ? Intake{} : scan(stop);
  // What is under way when a stop is requested may well break.
  if (!intake && stop.stop_requested()) return Intake{};
  if (!intake) return intake;
  TRY(set_aside_refused());
  next_scan_ = started + settings_.sftp()->poll;
  intake->settling = settling_.unsettled();
  intake->stuck = settling_.stuck();
  deposit_.tell_gate(*intake);
  if (trouble_) return failure(*trouble_);
  return intake;
}

LookedAt SftpIngress::looked_at() const {
  LookedAt found{.stuck = settling_.stuck_inputs(), .without_request = 0};
  const auto left_out = reluctant_.stuck(steady_.now());
  found.stuck.insert(found.stuck.end(), left_out.begin(), left_out.end());
  return found;
}

void SftpIngress::wait(Duration time_out, const std::stop_token& stop) {
  const auto next = deposit_.closed()
                        ? deposit_.opens()
                        : std::min(next_scan_, std::max(settling_.next_look(), steady_.now()));
  const auto until = std::min(steady_.now() + time_out, next);
  for (auto now = steady_.now(); now < until && !stop.stop_requested(); now = steady_.now()) {
    pause(std::min<Duration>(until - now, kKeepAlive), stop);
    if (steady_.now() < until) sessions_.keep_alive();
  }
}

Result<void> SftpIngress::prepare() {
  if (settings_.sftp()->after == SftpAfter::leave_alone && !ledger_) {
    ASSIGN_OR_RETURN(ledger_, TakenLedger::open(settings_.sftp()->ledger));
  }
  ASSIGN_OR_RETURN(auto* const dialogue, sessions_.first());
  if (folders_made_) return {};
  TRY(ensure_folders(*dialogue, *settings_.sftp()));
  folders_made_ = true;
  return {};
}

Result<Intake> SftpIngress::scan(const std::stop_token& stop) {
  Intake intake;
  present_.clear();
  present_keys_.clear();
  left_alone_.begin();
  ASSIGN_OR_RETURN(auto* const dialogue, sessions_.first());
  ASSIGN_OR_RETURN(auto listing, RemoteListing::open(*dialogue, settings_.sftp()->fetch.path));
  // A file and its marker may be far from each other in the list.
  const bool all = settings_.sftp()->ready == SftpReady::marker;
  std::size_t names = 0;
  bool more = true;
  while (more && names < kMostNames && present_.size() < kMostUnsettled && !stop.stop_requested() &&
         !deposit_.closed()) {
    ASSIGN_OR_RETURN(const auto entries, listing.next(all ? kMostUnsettled : kNamesAtATime));
    names += entries.size();
    more = !entries.empty();
    TRY(scan_part(entries, intake, stop));
  }
  if (stop.stop_requested() || deposit_.closed()) return intake;  // not everything has been seen
  if (more) {
    left_alone_.more("more than " +
                     std::to_string(names >= kMostNames ? kMostNames : kMostUnsettled) +
                     " files lie");
  }
  left_alone_.tell(settings_.sftp()->fetch.path);
  settling_.keep_only(present_);
  reluctant_.keep_only(present_);
  std::erase_if(unreleased_, [&](const auto& entry) { return !present_.contains(entry.first); });
  if (ledger_ && !more) TRY(ledger_->keep_only(present_keys_));
  return intake;
}

Result<void> SftpIngress::scan_part(const std::vector<RemoteEntry>& entries, Intake& intake,
                                    const std::stop_token& stop) {
  std::vector<Found> found;
  std::vector<Taken> again;
  for (const auto& entry : entries) {
    auto file = consider(entry);
    if (!file) continue;
    const auto known = unreleased_.find(file->name);
    if (known != unreleased_.end() && known->second.file.look == file->look) {
      present_.insert(file->name);
      again.push_back(known->second);
    } else {
      found.push_back(std::move(*file));
    }
  }
  TRY(release(std::move(again)));
  if (settings_.sftp()->ready == SftpReady::marker) pair_markers(entries, found);
  return take(std::move(found), intake, stop);
}

// Files that are worth a look now. Whatever else lies there is left alone.
std::optional<SftpIngress::Found> SftpIngress::consider(const RemoteEntry& entry) {
  const auto& [name, look] = entry;
  if (const auto mistake = name_mistake(name); !mistake.empty()) {
    report(entry, mistake, "rename it at the server");
    return std::nullopt;
  }
  if (is_ignored(name) || is_own_name(*settings_.sftp(), name)) return std::nullopt;
  if (settings_.sftp()->ready == SftpReady::marker && marked_file(name)) return std::nullopt;
  if (!look.may_be_file()) {
    if (is_request_name(name)) {
      report(entry, "it is not a plain file", "only files are taken");
    } else if (look.kind() == RemoteLook::Kind::directory) {
      left_alone_.folder(name);
    }
    return std::nullopt;
  }
  if (ledger_ && ledger_->has(key_of(name, look))) {
    present_keys_.insert(key_of(name, look));
    return std::nullopt;
  }
  if (present_.size() >= kMostUnsettled) return std::nullopt;
  present_.insert(name);
  const auto readiness = settling_.look_at(name, look_of(look), steady_.now(), 0);
  const bool settled = readiness == Readiness::settled;
  if (settings_.sftp()->ready == SftpReady::stable && !settled) return std::nullopt;
  if (reluctant_.rests(name, steady_.now())) return std::nullopt;
  return Found{name, look, settled, {}, 0};
}

// Keeps those that have a marker.
void SftpIngress::pair_markers(const std::vector<RemoteEntry>& entries,
                               std::vector<Found>& found) const {
  std::map<std::string, const RemoteEntry*> markers;
  for (const auto& entry : entries) {
    if (const auto file = marked_file(entry.name); file && entry.look.may_be_file()) {
      markers[*file] = &entry;
    }
  }
  std::erase_if(found, [&](Found& file) {
    const auto marker = markers.find(file.name);
    if (marker == markers.end()) return true;
    const auto& look = marker->second->look;
    file.marker = marker->second->name;
    file.marker_size =
        static_cast<std::size_t>(std::min<std::uint64_t>(look.size.value_or(0), 4096));
    // An empty one may be left from a file of that name before.
    const bool of_before = look.mtime.value_or(0) < file.look.mtime.value_or(0);
    return file.marker_size == 0 && of_before && !file.settled;
  });
}

// Oldest first: messages of one transaction keep their order.
Result<void> SftpIngress::take(std::vector<Found> found, Intake& intake,
                               const std::stop_token& stop) {
  std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) {
    return std::tie(a.look.mtime, a.name) < std::tie(b.look.mtime, b.name);
  });
  if (found.empty()) return {};
  std::vector<Found> group;
  ASSIGN_OR_RETURN(auto room, deposit_.room());
  for (auto& file : found) {
    const auto size = std::min<std::uint64_t>(file.look.size.value_or(0), settings_.max_message);
    if (!room.has_room(size)) {
      TRY(take_group(group, intake, stop));
      group.clear();
      ASSIGN_OR_RETURN(room, deposit_.room());
    }
    if (stop.stop_requested() || deposit_.closed()) return {};
    room.take(size);
    group.push_back(std::move(file));
  }
  return take_group(group, intake, stop);
}

// What could be read is taken even when a connection broke on the way. Then the rest is asked for
// by halves, down to the file that breaks it.
Result<void> SftpIngress::take_group(const std::vector<Found>& group, Intake& intake,
                                     const std::stop_token& stop) {
  if (group.empty()) return {};
  std::optional<Error> broken;
  ASSIGN_OR_RETURN(auto reads, read(group, broken));
  ASSIGN_OR_RETURN(const auto missing, settle(group, std::move(reads), intake));
  if (missing.size() < group.size()) broken_in_a_row_ = 0;
  if (!broken) return {};
  if (stop.stop_requested() || missing.empty()) return failure(std::move(*broken));
  TRY(sessions_.first());  // a server that is gone is no file's fault
  if (group.size() == 1) return suspect(group.front(), *broken);
  const auto half = missing.begin() + static_cast<std::ptrdiff_t>((missing.size() + 1) / 2);
  TRY(take_group({missing.begin(), half}, intake, stop));
  return take_group({half, missing.end()}, intake, stop);
}

// Gives those that were not read.
Result<std::vector<SftpIngress::Found>> SftpIngress::settle(const std::vector<Found>& group,
                                                            std::vector<Read> reads,
                                                            Intake& intake) {
  std::vector<Taken> taken;
  std::vector<Found> missing;
  for (std::size_t i = 0; i < group.size(); ++i) {
    if (reads[i].what == Read::What::not_read) {
      missing.push_back(group[i]);
      continue;
    }
    TRY(note_came(group[i].name));
    switch (reads[i].what) {
      case Read::What::take:
        taken.push_back(claim(group[i], std::move(reads[i])));
        break;
      case Read::What::bad:
        if (reads[i].may_grow ? has_stopped_growing(group[i]) : group[i].settled) {
          TRY(quarantine(group[i], reads[i], intake));
        }
        break;
      case Read::What::unreadable:
        if (group[i].settled) TRY(report_unreadable(group[i], reads[i]));
        break;
      case Read::What::gone:
        settling_.forget(group[i].name);
        break;
      case Read::What::wait:
      case Read::What::not_read:
        break;
    }
  }
  TRY(deposit(std::move(taken), intake));
  return missing;
}

bool SftpIngress::has_stopped_growing(const Found& found) {
  return settling_.wait_for_more(found.name, look_of(found.look), steady_.now(), 0) ==
         Readiness::settled;
}

// The connection has broken over this file alone, and the server is there.
Result<void> SftpIngress::suspect(const Found& found, const Error& broken) {
  constexpr int kMostInARow = 3;  // then it is hardly the files
  if (reluctant_.failed(found.name, broken.what, steady_.now())) {
    const auto why = "the file breaks the connection and is left out: " + broken.what;
    log::error("input.left_out",
               {{"channel", channel()}, {"source", printable(found.name)}, {"reason", why}});
    TRY(deposit_.hold(job_of_unread(found.name), why,
                      "look at it at the server; it is asked for again by and by"));
  }
  if (++broken_in_a_row_ >= kMostInARow) return failure(broken);
  return {};
}

Result<void> SftpIngress::note_came(const std::string& name) {
  if (!reluctant_.came(name)) return {};
  log::info("input.came_after_all", {{"channel", channel()}, {"source", printable(name)}});
  TRY(deposit_.queue().drop(job_of_unread(name).id, "the file came after all"));
  return {};
}

// What was not said to be a file may be a folder, which is nobody's fault.
Result<void> SftpIngress::report_unreadable(const Found& found, const Read& read) {
  if (found.look.kind() == RemoteLook::Kind::not_told) {
    ASSIGN_OR_RETURN(auto* const dialogue, sessions_.first());
    ASSIGN_OR_RETURN(
        const bool folder,
        is_directory(*dialogue, remote_path(settings_.sftp()->fetch.path, found.name)));
    if (folder && !is_request_name(found.name)) return {};
  }
  report(entry_of(found), read.reason, read.hint);
  return {};
}

// Says once what nobody can take; a person has to look.
void SftpIngress::report(const RemoteEntry& entry, const std::string& reason,
                         const std::string& hint) {
  if (present_.size() >= kMostUnsettled) return;
  present_.insert(entry.name);
  settling_.look_at(entry.name, look_of(entry.look), steady_.now(), 0);
  if (settling_.first_report(entry.name, reason)) log_stuck(channel(), entry.name, reason, hint);
}

}  // namespace cmpost
