#include "watcher/media/one_way_ingress.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/crash_point.h"
#include "base/log.h"
#include "watcher/file_names.h"
#include "watcher/log_stuck.h"
#include "watcher/unwrap.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using Place = DropDirectory::Place;

constexpr std::size_t kListedAtATime = 20'000;
constexpr std::size_t kMostArrived = 500'000;  // names of one look
constexpr Duration kFirstLookAgain = 200ms;

std::string spelled(std::uint64_t number) { return "batch " + std::to_string(number); }

// The one file of a batch, as a job's source.
std::string source_of(const BatchManifest& manifest, const std::string& part) {
  return spelled(manifest.number) + ", " + whole_name(part);
}

}  // namespace

std::string received_file(const ChannelSettings& channel) { return channel.state + "/received"; }

OneWayIngress::OneWayIngress(const ChannelSettings& settings, JobQueue& requests, const Clock& wall,
                             const Clock& steady)
    : settings_(settings),
      wall_(wall),
      steady_(steady),
      deposit_(settings_, requests, steady),
      left_alone_(settings) {}

Result<void> OneWayIngress::ensure_open() {
  struct stat named {
  }, opened{};
  const auto& path = settings_.directory()->in;
  const bool current = directory_ && ::stat(path.c_str(), &named) == 0 &&
                       ::fstat(directory_.get(), &opened) == 0 && named.st_dev == opened.st_dev &&
                       named.st_ino == opened.st_ino && (!drop_ || drop_->is_current());
  if (!current) {
    directory_ = FileDescriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory_) return failure(errno_error("opening directory", path, errno));
    const auto kind = file_system_kind(directory_);
    const bool events = kind.tells_events && watch_.watch(path);
    drop_.reset();
    open_drop();
    log::info("channel.watched",
              {{"channel", channel()},
               {"directory", path},
               {"file_system", kind.text()},
               {"by", events ? "events" : "polling"},
               {"files", drop_ ? "moved when received" : "left where they are"}});
  }
  if (!not_moved_.empty()) open_drop();
  // `cmpost skip` changes it too.
  TRY(make_directories(settings_.state));
  ASSIGN_OR_RETURN(received_, ReceivedBatches::read(received_file(settings_)));
  return {};
}

// A directory that may only be read is left as it is. Whatever else is in the way is told.
void OneWayIngress::open_drop() {
  not_moved_.clear();
  const bool writable = ::faccessat(directory_.get(), ".", W_OK, AT_EACCESS) == 0;
  if (!writable && (errno == EROFS || errno == EACCES)) return;
  auto drop = DropDirectory::open(settings_.directory()->in);
  if (drop) return void(drop_.emplace(std::move(*drop)));
  cannot_move(drop.error());
}

void OneWayIngress::cannot_move(const Error& error) {
  not_moved_ = error.what;
  if (std::exchange(told_not_moved_, not_moved_) == not_moved_) return;
  log_stuck(channel(), ".done", "what was received cannot be put away: " + not_moved_, error.hint);
}

Result<ArrivedBatches> OneWayIngress::list() {
  ArrivedBatches arrived;
  ASSIGN_OR_RETURN(auto listing, Listing::start(directory_));
  std::size_t count = 0;
  for (;;) {
    ASSIGN_OR_RETURN(const auto names, listing.next(kListedAtATime));
    if (names.empty()) break;
    if (count >= kMostArrived) {
      left_alone_.more("more than " + std::to_string(kMostArrived) + " files of batches lie");
      break;
    }
    for (const auto& name : names) count += arrived.add(name) ? 1 : 0;
  }
  return arrived;
}

Result<Intake> OneWayIngress::poll(const std::stop_token& stop) {
  TRY(ensure_open());
  watch_.read();
  Intake intake;
  TRY(deposit_.ask_gate());
  left_alone_.begin();
  ASSIGN_OR_RETURN(const auto arrived, list());
  forget_gone(arrived);
  bool whole_look = true;
  for (const auto& [key, batch] : arrived.all()) {
    whole_look = !stop.stop_requested() && !deposit_.closed();
    if (!whole_look) break;
    ASSIGN_OR_RETURN(const Intake part, take(batch));
    intake += part;
    TRY(deposit_.ask_gate());
  }
  TRY(tell_complaints(whole_look));
  for (const auto& [key, batch] : incomplete_) ++(batch.told ? intake.stuck : intake.settling);
  if (not_moved_.empty()) told_not_moved_.clear();  // it is news when it comes again
  intake.stuck += not_moved_.empty() ? 0 : 1;
  deposit_.tell_gate(intake);
  next_scan_ = steady_.now() + (intake.settling > 0
                                    ? std::max(kFirstLookAgain, settings_.directory()->settle)
                                    : settings_.directory()->poll);
  return intake;
}

void OneWayIngress::wait(Duration time_out, const std::stop_token& stop) {
  const auto now = steady_.now();
  const auto until = std::min(now + time_out, deposit_.closed() ? deposit_.opens() : next_scan_);
  if (until <= now) return;
  watch_.wait(until - now, stop);
}

Result<Intake> OneWayIngress::take(const ArrivedBatch& arrived) {
  if (received_->has(arrived.stream, arrived.number)) return take_repeat(arrived);
  // What was not whole is not read again before something has changed.
  const auto known = incomplete_.find({arrived.stream, arrived.number});
  if (known != incomplete_.end() && !known->second.not_read &&
      known->second.look == look_of(arrived)) {
    note_incomplete(arrived, known->second.torn, false);
    return Intake{};
  }
  auto assembly = assemble(directory_, arrived);
  if (!assembly.batch) {
    note_incomplete(arrived, assembly.torn, assembly.not_read);
    return Intake{};
  }
  if (const auto mistake = received_->chain_mistake(assembly.batch->manifest, assembly.batch->hash);
      !mistake.empty()) {
    log::warning("batch.out_of_chain", {{"channel", channel()}, {"text", mistake}});
  }
  incomplete_.erase({arrived.stream, arrived.number});
  return deposit(arrived, std::move(*assembly.batch));
}

// Requests first, then the note, then the files: whatever ends that early is done again and makes
// nothing new.
Result<Intake> OneWayIngress::deposit(const ArrivedBatch& arrived, AssembledBatch batch) {
  Intake intake;
  std::vector<Job> jobs;
  for (std::size_t i = 0; i < batch.contents.size(); ++i) {
    const auto& file = batch.manifest.files[i];
    const bool too_large = file.size > settings_.max_message;
    const Bytes contents = std::move(batch.contents[i]);
    auto unwrapped =
        too_large ? Unwrapped{Unwrapped::What::refused, {}, "it is larger than max_message", {}}
                  : unwrap(contents);
    if (unwrapped.what == Unwrapped::What::message) {
      jobs.push_back(job_of(batch.manifest, i, std::move(unwrapped.message)));
      continue;
    }
    const BatchName name{arrived.stream, arrived.number, 1, file.name};
    TRY(put_aside(job_of(batch.manifest, i, {}), name, contents, unwrapped.reason));
    ++intake.quarantined;
  }
  TRY(deposit_.put(jobs, intake));
  crash_point("watcher.batch_deposited");
  tell_order(batch.manifest);
  TRY(received_->add(batch.manifest, batch.hash, wall_.now()));
  deposit_.log_arrivals(jobs);
  log::info("batch.complete", {{"channel", channel()},
                               {"batch", arrived.number},
                               {"stream", arrived.stream},
                               {"files", batch.manifest.files.size()},
                               {"known", intake.known}});
  // One with another manifest, or one that cannot be read, is looked at next.
  for (const auto& [copy, name] : arrived.manifests) {
    const auto found = find_manifest(directory_, arrived, name);
    const bool other = found.what == FoundManifest::What::fits && found.hash != batch.hash;
    if (other || found.what == FoundManifest::What::not_read) return intake;
  }
  tidy(arrived);
  return intake;
}

Job OneWayIngress::job_of(const BatchManifest& manifest, std::size_t index, Bytes message) const {
  const auto place =
      manifest.stream + " " + std::to_string(manifest.number) + " " + std::to_string(index);
  const auto& name = manifest.files[index].name;
  auto job = deposit_.job_of(
      make_job_id({view_of(channel()), view_of("batch"), view_of(place), message}), name);
  job.envelope.source = source_of(manifest, name);
  job.payload = std::move(message);
  return job;
}

Result<void> OneWayIngress::put_aside(const Job& job, const BatchName& name, ByteView contents,
                                      const std::string& reason) {
  TRY(deposit_.hold(job, reason));
  if (drop_) {
    const auto path = settings_.directory()->in + "/.quarantine/" + name.text();
    (void)write_file(path, contents, 0640, IfExists::replace);
    (void)write_file(path + ".reason.txt", view_of("reason: " + reason + "\n"), 0640,
                     IfExists::replace);
  }
  deposit_.log_put_aside(job.id, job.envelope.source, reason);
  return {};
}

void OneWayIngress::note_incomplete(const ArrivedBatch& arrived, const std::string& torn,
                                    bool not_read) {
  auto& state = incomplete_[{arrived.stream, arrived.number}];
  const auto look = look_of(arrived);
  if (state.look != look || state.torn.empty()) {
    state = {look, steady_.now(), torn, false, not_read};
    return;
  }
  state.torn = torn;
  state.not_read = not_read;
  // It is torn when nothing more has come for a while, not while its files arrive.
  if (steady_.now() - state.since >= settings_.directory()->settle) state.told = true;
}

std::string OneWayIngress::look_of(const std::string& name) const {
  struct stat status {};
  if (::fstatat(directory_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return {};
  return name + " " + std::to_string(status.st_size) + " " + std::to_string(status.st_mtim.tv_sec) +
         "." + std::to_string(status.st_mtim.tv_nsec) + " " + std::to_string(status.st_ino) + "\n";
}

std::string OneWayIngress::look_of(const ArrivedBatch& arrived) const {
  std::string look;
  for (const auto& name : arrived.names()) look += look_of(name);
  return look;
}

// What is torn, missing or there twice has its own record (received_file()).
LookedAt OneWayIngress::looked_at() const {
  LookedAt found;
  for (const auto& [key, why] : unclear_repeats_) {
    const auto what = spelled(key.second) + " of stream " + key.first;
    found.stuck.push_back({what, why, 0, std::nullopt});
  }
  if (!not_moved_.empty()) found.stuck.push_back({".done", not_moved_, 0, std::nullopt});
  return found;
}

// What is not there any more says nothing, even should something of its name come again.
void OneWayIngress::forget_gone(const ArrivedBatches& arrived) {
  const auto gone = [&](const auto& entry) { return !arrived.all().contains(entry.first); };
  std::erase_if(incomplete_, gone);
  std::erase_if(without_manifest_, gone);
  std::erase_if(repeats_, [&](const auto& entry) {
    const auto name = BatchName::parse(entry.first);
    const auto batch = arrived.all().find({name->stream, name->number});
    return batch == arrived.all().end() || !batch->second.manifests.contains(name->copy);
  });
  conflicts_.clear();
  unclear_repeats_.clear();
}

void OneWayIngress::tidy(const ArrivedBatch& arrived) {
  if (!drop_) return;
  for (const auto& name : arrived.names()) {
    const auto moved =
        drop_->move(Place::in, name, Place::done, std::to_string(to_unix_micros(wall_.now())));
    if (!moved) return cannot_move(moved.error());
    crash_point("watcher.batch_file_done");
  }
}

void OneWayIngress::tell_order(const BatchManifest& manifest) const {
  const auto stream = received_->streams().find(manifest.stream);
  if (stream == received_->streams().end()) {
    log::info("batch.new_stream", {{"channel", channel()}, {"stream", manifest.stream}});
    return;
  }
  const auto last = stream->second.complete.last();
  if (manifest.number > last) return;
  log::warning("batch.reordered",
               {{"channel", channel()},
                {"text", spelled(manifest.number) + " came after " + std::to_string(last)},
                {"stream", manifest.stream}});
}

// Tells what has become wrong, once, and that all is well again. A look that was broken off has not
// seen all that may still be there.
Result<void> OneWayIngress::tell_complaints(bool whole_look) {
  std::map<std::string, std::map<std::uint64_t, std::string>> torn;
  for (const auto& [key, state] : incomplete_) {
    if (state.told) torn[key.first][key.second] = state.torn;
  }
  ASSIGN_OR_RETURN(std::size_t left_out, received_->set_torn(std::move(torn)));
  if (whole_look) {
    ASSIGN_OR_RETURN(const auto more, received_->set_conflicts(conflicts_));
    left_out += more;
  }
  if (left_out > 0) {
    left_alone_.more(std::to_string(left_out) +
                     " more batches that are torn or there twice, which are named nowhere, lie");
  }
  left_alone_.tell(settings_.directory()->in);
  const auto complaints = received_->complaints();
  std::set<std::string> now(complaints.begin(), complaints.end());
  for (const auto& text : now) {
    if (!complaints_told_.contains(text)) {
      log::warning("batch.incomplete", {{"channel", channel()}, {"text", text}});
    }
  }
  if (now.empty() && !complaints_told_.empty()) {
    log::info("batch.all_here", {{"channel", channel()}});
  }
  complaints_told_ = std::move(now);
  return {};
}

}  // namespace cmpost
