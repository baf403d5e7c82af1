#include "watcher/media/media_ingress.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/crash_point.h"
#include "base/group_sync.h"
#include "base/log.h"
#include "base/presence.h"
#include "watcher/arrival.h"
#include "watcher/file_names.h"
#include "watcher/log_stuck.h"
#include "watcher/unwrap.h"

namespace cmpost {
namespace {

constexpr std::size_t kCopyGroup = 500;
constexpr std::size_t kMostOnMedium = 200'000;
constexpr Duration kPaused = std::chrono::milliseconds(500);
constexpr std::size_t kListedFromMedium = 10'000;

std::int64_t nanos_of(const timespec& time) { return time.tv_sec * 1'000'000'000LL + time.tv_nsec; }

std::optional<Look> look_at_entry(const FileDescriptor& directory, const std::string& name) {
  struct stat status {};
  if (::fstatat(directory.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return std::nullopt;
  }
  // Without inode and ctime: FAT makes them up anew each time.
  return Look{0,
              static_cast<std::uint64_t>(status.st_size),
              nanos_of(status.st_mtim),
              0,
              1,
              status.st_mode & S_IFMT};
}

Result<FileDescriptor> open_below(const FileDescriptor& in, const char* name) {
  if (::mkdirat(in.get(), name, 0755) != 0 && errno != EEXIST) {
    return failure(errno_error("creating on the medium", name, errno));
  }
  FileDescriptor directory(
      ::openat(in.get(), name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!directory) return failure(errno_error("opening on the medium", name, errno));
  return directory;
}

Result<void> move_below(const FileDescriptor& in, const std::string& name, const FileDescriptor& to,
                        const std::string& mark) {
  Result<void> moved;
  for (const auto& target : {marked_name(name, ""), marked_name(name, mark)}) {
    moved = rename_no_replace(in, name, to, target);
    if (moved) break;
  }
  return moved;
}

// Where the same octets came, and were put away, before, they may be replaced by themselves: the
// key tells them.
Result<void> put_away(const FileDescriptor& in, const CopiedFile& file,
                      const FileDescriptor& done) {
  if (move_below(in, file.name, done, file.key())) return {};
  const auto name = marked_name(file.name, file.key());
  if (::renameat(in.get(), file.name.c_str(), done.get(), name.c_str()) == 0) return {};
  return failure(errno_error("renaming to", name, errno));
}

// Where nothing was ever copied, the directory is not there.
Result<bool> has_entries(const std::string& directory) {
  ASSIGN_OR_RETURN(const auto names, names_if_there(directory));
  return std::ranges::any_of(names, [](const std::string& name) {
    return name != ".work" && name != ".done" && name != ".quarantine";
  });
}

Result<bool> has_left_copies(const std::string& local) {
  for (const auto* part : {"/.copy", "/in", "/in/.work"}) {
    ASSIGN_OR_RETURN(const bool any, has_entries(local + part));
    if (any) return true;
  }
  return false;
}

}  // namespace

MediaIngress::MediaIngress(const ChannelSettings& settings, JobQueue& requests, const Clock& wall,
                           const Clock& steady, Random& random)
    : settings_(settings),
      wall_(wall),
      steady_(steady),
      random_(random),
      deposit_(settings_, requests, steady),
      note_(settings.state, "medium"),
      settling_(settings.directory()->settle),
      left_alone_(settings) {}

Result<Intake> MediaIngress::poll(const std::stop_token& stop) {
  next_look_ = steady_.now() + settings_.directory()->poll;
  TRY(deposit_.ask_gate());
  ASSIGN_OR_RETURN(Intake intake, work_on_left_copies(stop));
  ASSIGN_OR_RETURN(const auto medium, find_medium(place(), &random_));
  note_medium(medium);
  if (medium && !deposit_.closed()) {
    auto copied = copy_all(*medium, stop);
    if (!copied) {
      // Pulled out meanwhile: what was copied is safe, and the rest is still on it.
      const auto now = find_medium(place());
      if (!now || (*now && (*now)->id == medium->id)) return failure(copied.error());
      note_medium(*now);
      ASSIGN_OR_RETURN(copied, work_on_copies(medium->id, stop));
    }
    intake += *copied;
  }
  intake.settling = settling_.unsettled();
  intake.stuck = settling_.stuck();
  for (const auto& [id, ingress] : copies_) intake.stuck += ingress->looked_at().stuck.size();
  deposit_.tell_gate(intake);
  if (intake.paused) next_look_ = std::min(next_look_, steady_.now() + kPaused);
  return intake;
}

LookedAt MediaIngress::looked_at() const {
  LookedAt found{.stuck = settling_.stuck_inputs(), .without_request = 0};
  for (const auto& [id, ingress] : copies_) {
    for (auto& copy : ingress->looked_at().stuck) {
      copy.what = "media/" + id + "/in/" + copy.what;  // in the channel's state
      found.stuck.push_back(std::move(copy));
    }
  }
  return found;
}

void MediaIngress::wait(Duration time_out, const std::stop_token& stop) {
  const auto now = steady_.now();
  const auto look =
      deposit_.closed() ? deposit_.opens() : std::min(next_look_, settling_.next_look());
  const auto until = std::min(now + time_out, look);
  if (until > now) DirectoryWatch().wait(until - now, stop);
}

void MediaIngress::note_medium(const std::optional<Medium>& medium) {
  const auto id = medium ? std::optional(medium->id) : std::nullopt;
  if (looked_ && id == there_) return note_.hold();
  if (id) {
    log::info("medium.there", {{"channel", channel()}, {"medium", *id}});
    note_.set("medium " + *id + " is there");
  } else {
    if (looked_)
      log::info("medium.gone", {{"channel", channel()}, {"medium", there_.value_or("")}});
    note_.set("no medium is there; answers wait for it");
  }
  looked_ = true;
  there_ = id;
  settling_.keep_only({});
}

// Copies that were made before a crash, or before the queue failed.
Result<Intake> MediaIngress::work_on_left_copies(const std::stop_token& stop) {
  Intake intake;
  ASSIGN_OR_RETURN(const auto ids, names_if_there(settings_.state + "/media"));
  for (const auto& id : ids) {
    const auto directory = local(id);
    ASSIGN_OR_RETURN(const bool any, has_left_copies(directory));
    if (!any) copies_.erase(id);
    if (!any) continue;
    TRY(CopyLedger::open(directory));
    ASSIGN_OR_RETURN(const Intake part, work_on_copies(id, stop));
    intake += part;
  }
  return intake;
}

Result<Intake> MediaIngress::work_on_copies(const std::string& id, const std::stop_token& stop) {
  ASSIGN_OR_RETURN(const bool any, is_there(local(id) + "/in"));
  if (!any) return Intake{};
  auto& ingress = copies_of(id);
  Intake intake;
  for (;;) {
    ASSIGN_OR_RETURN(const Intake part, ingress.poll(stop));
    intake += part;
    if (part.deposited + part.quarantined == 0) break;
  }
  if (ingress.looked_at().stuck.empty()) copies_.erase(id);
  return intake;
}

DirectoryIngress& MediaIngress::copies_of(const std::string& id) {
  auto& ingress = copies_[id];
  if (ingress) return *ingress;
  auto settings = settings_;
  settings.directory()->in = local(id) + "/in";
  settings.directory()->settle = Duration::zero();  // the copies are complete
  settings.directory()->poll = Duration::zero();    // and looked at when we say so
  settings.directory()->ready = ReadyRule::rename;
  settings.state.clear();  // notes are ours
  ingress = std::make_unique<DirectoryIngress>(settings, deposit_.queue(), wall_, steady_);
  ingress->take_copies_for(id);
  return *ingress;
}

Result<Intake> MediaIngress::copy_all(const Medium& medium, const std::stop_token& stop) {
  Intake intake;
  const FileDescriptor in(
      ::open(settings_.directory()->in.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!in) return failure(errno_error("opening directory", settings_.directory()->in, errno));
  ASSIGN_OR_RETURN(const auto found, list(in));
  ASSIGN_OR_RETURN(const bool visited, is_there(local(medium.id) + "/copied"));
  if (found.empty() && !visited) return intake;
  ASSIGN_OR_RETURN(auto ledger, CopyLedger::open(local(medium.id)));
  std::size_t copied = 0;
  for (std::span<const Found> rest = found; !rest.empty() && !stop.stop_requested();) {
    const auto group = rest.first(std::min(kCopyGroup, rest.size()));
    ASSIGN_OR_RETURN(const auto more, copy_group(in, group, ledger, intake));
    copied += more;
    TRY(let_go(in, medium, ledger));
    rest = rest.subspan(group.size());
  }
  // What an earlier visit of the medium could not let go of.
  TRY(let_go(in, medium, ledger));
  if (copied == 0) return intake;
  log::info("medium.copied", {{"channel", channel()}, {"medium", medium.id}, {"files", copied}});
  ASSIGN_OR_RETURN(const Intake worked, work_on_copies(medium.id, stop));
  intake += worked;
  return intake;
}

// What is complete by now: nothing may change while the medium is looked at twice.
Result<std::vector<MediaIngress::Found>> MediaIngress::list(const FileDescriptor& in) {
  std::vector<Found> found;
  std::set<std::string> seen;
  left_alone_.begin();
  ASSIGN_OR_RETURN(auto listing, Listing::start(in));
  for (;;) {
    ASSIGN_OR_RETURN(auto names, listing.next(kListedFromMedium));
    if (names.empty()) break;
    if (seen.size() >= kMostOnMedium) {
      left_alone_.more("more than " + std::to_string(kMostOnMedium) + " files lie");
      break;
    }
    for (auto& name : names) {
      if (is_ignored(name)) continue;
      errno = 0;
      const auto look = look_at_entry(in, name);
      if (!look && errno == ENOENT) continue;
      if (!look) {
        seen.insert(name);
        settling_.cannot_look_at(name);
        report(name, errno_error("examining", name, errno).what);
        continue;
      }
      if (!S_ISDIR(look->type) || is_request_name(name)) seen.insert(name);
      if (!S_ISREG(look->type)) {
        leave_alone(name, *look);
        continue;
      }
      const auto readiness = settling_.look_at(name, *look, steady_.now(), 0);
      if (readiness == Readiness::settled) found.push_back({std::move(name), *look});
    }
  }
  settling_.keep_only(seen);
  left_alone_.tell(settings_.directory()->in);
  return found;
}

void MediaIngress::leave_alone(const std::string& name, const Look& look) {
  if (S_ISDIR(look.type) && !is_request_name(name)) return left_alone_.folder(name);
  settling_.look_at(name, look, steady_.now(), 0);
  report(name, "it is not a plain file");
}

void MediaIngress::report(const std::string& name, const std::string& why) {
  if (settling_.first_report(name, why)) log_stuck(channel(), name, why);
}

Result<std::size_t> MediaIngress::copy_group(const FileDescriptor& in, std::span<const Found> group,
                                             CopyLedger& ledger, Intake& intake) {
  std::vector<CopiedFile> copied;
  for (const auto& found : group) {
    if (found.look.size > settings_.max_message) {
      TRY(put_aside_large(in, found, intake));
      continue;
    }
    ASSIGN_OR_RETURN(auto copy, copy_one(in, found, ledger));
    if (!copy.file) {
      if (!copy.why.empty() && settling_.first_report(found.name, copy.why)) {
        log::warning(
            "medium.unreliable",
            {{"channel", channel()}, {"source", printable(found.name)}, {"reason", copy.why}});
      }
      continue;
    }
    settling_.forget(found.name);
    if (!ledger.has(*copy.file)) copied.push_back(std::move(*copy.file));
  }
  if (!copied.empty()) TRY(ledger.commit(copied));
  return copied.size();
}

// One file with bad sectors, or with other rights, does not keep the others from being copied.
Result<MediaIngress::Copied> MediaIngress::unless_pulled_out(const Error& trouble) const {
  ASSIGN_OR_RETURN(const auto medium, find_medium(place()));
  if (!medium || medium->id != there_.value_or("")) return failure(trouble);
  return Copied{std::nullopt, trouble.what};
}

// Once copied and put away, the rest of it would be another file.
bool MediaIngress::may_grow(const Found& found, const Bytes& contents) {
  return unwrap(contents).what == Unwrapped::What::incomplete &&
         settling_.wait_for_more(found.name, found.look, steady_.now(), 0) != Readiness::settled;
}

// A file that the ledger knows is read and not written again.
Result<MediaIngress::Copied> MediaIngress::copy_one(const FileDescriptor& in, const Found& found,
                                                    const CopyLedger& ledger) {
  const auto contents = read_file_at(in, found.name, settings_.max_message);
  if (!contents) return unless_pulled_out(contents.error());
  CopiedFile file{found.name, contents->size(), found.look.mtime_nanos, sha256(*contents)};
  if (ledger.has(file)) return Copied{std::move(file), {}};
  if (may_grow(found, *contents)) return Copied{};
  TRY(ledger.write_copy(file, *contents));
  ASSIGN_OR_RETURN(const auto copies, open_directory(local(there_.value_or("")) + "/.copy"));
  const auto same_again = [&](const FileDescriptor& directory,
                              const std::string& name) -> Result<bool> {
    forget_cached(directory, name);
    ASSIGN_OR_RETURN(const auto again, read_file_at(directory, name, settings_.max_message));
    return sha256(again) == file.sha256;
  };
  ASSIGN_OR_RETURN(const bool copy_holds, same_again(copies, file.key()));
  const auto source_holds = same_again(in, found.name);
  if (!source_holds) return unless_pulled_out(source_holds.error());
  if (!copy_holds || !*source_holds) return Copied{std::nullopt, "it reads differently each time"};
  return Copied{std::move(file), {}};
}

Result<void> MediaIngress::put_aside_large(const FileDescriptor& in, const Found& found,
                                           Intake& intake) {
  const auto reason = "the file has " + std::to_string(found.look.size) +
                      " octets, more than the limit of " + std::to_string(settings_.max_message);
  Job job;
  job.id = make_job_id(
      {view_of(channel()), arrival_of(found.look), view_of(found.name), view_of("quarantine")});
  job.envelope.channel = job.envelope.reply.channel = channel();
  job.envelope.source = printable(found.name);
  TRY(deposit_.hold(job, reason));
  const auto quarantine = open_below(in, ".quarantine");
  const bool moved = quarantine && move_below(in, found.name, *quarantine, job.id.text());
  if (!moved && !settling_.first_report(found.name, reason)) return {};
  if (moved) settling_.forget(found.name);
  ++intake.quarantined;
  deposit_.log_put_aside(job.id, job.envelope.source, reason);
  return {};
}

// On the medium, what is safe here goes to in/.done. The ledger forgets it when that is durable.
Result<void> MediaIngress::let_go(const FileDescriptor& in, const Medium& medium,
                                  CopyLedger& ledger) {
  if (ledger.files().empty()) return {};
  if (!medium.writable) return {};  // it will show them for ever, and the ledger will know them
  ASSIGN_OR_RETURN(const auto done, open_below(in, ".done"));
  std::vector<CopiedFile> gone;
  for (const auto& file : ledger.files()) {
    errno = 0;
    const auto look = look_at_entry(in, file.name);
    // Only what is not there is gone; a medium that is pulled out has other answers.
    if (!look && errno != ENOENT) return failure(errno_error("examining", file.name, errno));
    if (look && look->size == file.size && look->mtime_nanos == file.mtime_nanos) {
      TRY(put_away(in, file, done));
      crash_point("media.let_go");
    }
    gone.push_back(file);
  }
  TRY(sync(done, "the medium"));
  TRY(sync(in, "the medium"));
  return ledger.forget(gone);
}

}  // namespace cmpost
