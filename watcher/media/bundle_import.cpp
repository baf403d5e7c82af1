#include "watcher/media/bundle_import.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/pause.h"
#include "base/presence.h"
#include "watcher/file_names.h"
#include "watcher/unwrap.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using BundleOutcome = ImportedBundle::What;

constexpr std::size_t kNamedFiles = 3;  // so many names stand in a complaint
constexpr Duration kLongestWait = 60s;
constexpr std::size_t kLongestNameAside = 100;
constexpr std::size_t kLargestExtrasNote = std::size_t{1} << 20U;

std::string bundle_called(std::uint64_t number) { return "bundle " + std::to_string(number); }

Result<FileDescriptor> lock_file(const std::string& path) {
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!file) return failure(errno_error("opening", path, errno));
  while (::flock(file.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return failure(errno_error("locking", path, errno));
  }
  return file;
}

std::string summary_of(const std::vector<std::string>& mistakes, std::size_t files) {
  auto text = std::to_string(files - std::min(files, mistakes.size())) + " of " +
              std::to_string(files) + " files are whole";
  for (std::size_t i = 0; i < std::min(mistakes.size(), kNamedFiles); ++i) {
    text += "; " + mistakes[i];
  }
  return mistakes.size() > kNamedFiles ? text + "; ..." : text;
}

// Messages that do not go this way are nobody's here.
std::string wrong_way(const ChannelSettings& channel, const BundleManifest& manifest) {
  const bool up = channel.direction == Direction::upstream;
  const auto wrong = up ? BundleFileKind::requests : BundleFileKind::answers;
  const bool any = std::ranges::any_of(manifest.files,
                                       [&](const BundleFile& file) { return file.kind == wrong; });
  if (!any) return {};
  return "it carries " + std::string(to_string(wrong)) + ", and channel " + channel.name +
         " takes " + (up ? "answers" : "requests");
}

// The newest streams that have any.
StreamRanges newest_of(const std::map<std::string, ReceivedBatches::Stream>& streams,
                       const NumberRanges ReceivedBatches::Stream::*which) {
  std::vector<std::pair<Time, std::string>> order;
  for (const auto& [name, stream] : streams) {
    if (!(stream.*which).empty()) order.emplace_back(stream.last, name);
  }
  std::ranges::sort(order, std::greater());
  if (order.size() > kMostReceiptStreams) order.resize(kMostReceiptStreams);
  StreamRanges found;
  for (const auto& [last, name] : order) found[name] = streams.at(name).*which;
  return found;
}

}  // namespace

std::string received_bundles_file(const ChannelSettings& channel) {
  return channel.state + "/received";
}

Result<FileDescriptor> lock_received_bundles(const ChannelSettings& channel) {
  TRY(make_directories(channel.state));
  return lock_file(channel.state + "/import.lock");
}

BundlesHeard heard_of(const ReceivedBatches& received) {
  return {newest_of(received.streams(), &ReceivedBatches::Stream::complete),
          newest_of(received.streams(), &ReceivedBatches::Stream::skipped)};
}

std::string_view to_string(ImportedBundle::What what) {
  switch (what) {
    case BundleOutcome::taken:
      return "taken";
    case BundleOutcome::known:
      return "known";
    case BundleOutcome::torn:
      return "torn";
    case BundleOutcome::refused:
      return "refused";
    case BundleOutcome::ours:
      return "ours";
    case BundleOutcome::for_others:
      return "for_others";
    case BundleOutcome::failed:
      return "failed";
  }
  return "";
}

Result<BundleImport> BundleImport::begin(std::vector<const ChannelSettings*> channels,
                                         BundleParties parties, JobQueue& requests,
                                         const Clock& wall, const Clock& steady) {
  BundleImport import(std::move(parties), wall, steady);
  std::ranges::sort(channels, {}, &ChannelSettings::name);  // two processes lock in one order
  for (const auto* channel : channels) {
    ASSIGN_OR_RETURN(auto lock, lock_received_bundles(*channel));
    ASSIGN_OR_RETURN(auto received, ReceivedBatches::read(received_bundles_file(*channel)));
    ASSIGN_OR_RETURN(const auto archive, BundleArchive::look_into(channel->state + "/bundles-out"));
    if (archive) {
      ASSIGN_OR_RETURN(const auto newest, archive->newest());
      if (newest.number != 0) import.parties_.own_streams.insert(newest.stream);
    }
    import.desks_.push_back({channel, std::move(received),
                             std::make_unique<Deposit>(*channel, requests, steady),
                             std::move(lock)});
  }
  return import;
}

BundleImport::Desk* BundleImport::desk_of(const std::string& peer) {
  const auto found = std::ranges::find_if(
      desks_, [&](const Desk& desk) { return desk.channel->courier()->peer == peer; });
  return found == desks_.end() ? nullptr : &*found;
}

Result<std::vector<ImportedBundle>> BundleImport::take(const std::string& directory) {
  ASSIGN_OR_RETURN(const auto inbox, BundleInbox::open(directory));
  std::vector<ImportedBundle> all;
  queue_in_trouble_ = false;
  for (const auto& [key, arrived] : inbox.all()) {
    ImportedBundle one;
    one.stream = arrived.stream;
    one.number = arrived.number;
    if (auto taken = take(inbox, arrived, one); !taken) {
      one.what = BundleOutcome::failed;
      one.text = taken.error().what;
      one.hint = taken.error().hint;
    }
    const auto left = inbox.all().size() - all.size() - 1;
    if (queue_in_trouble_ && left > 0) {
      one.remarks.push_back(std::to_string(left) + " more were not looked at");
    }
    const auto outcome = std::string(to_string(one.what));
    if (one.complains()) {
      log::warning("bundle." + outcome, {{"channel", one.channel},
                                         {"bundle", one.number},
                                         {"stream", one.stream},
                                         {"text", one.text}});
    } else if (one.what == BundleOutcome::taken || one.what == BundleOutcome::known) {
      log::info("bundle." + outcome, {{"channel", one.channel},
                                      {"bundle", one.number},
                                      {"stream", one.stream},
                                      {"messages", one.messages}});
    }
    all.push_back(std::move(one));
    if (queue_in_trouble_) break;
  }
  return all;
}

Result<void> BundleImport::take(const BundleInbox& inbox, const ArrivedBatch& arrived,
                                ImportedBundle& done) {
  using Judged = ManifestVerdict::What;
  ASSIGN_OR_RETURN(const auto verdict, inbox.judge(arrived, parties_, wall_.now()));
  done.text = verdict.why;
  done.hint = verdict.hint;
  switch (verdict.what) {
    case Judged::believed:
      return take_believed(inbox, arrived, *verdict.believed, done);
    case Judged::ours:
      done.what = BundleOutcome::ours;
      break;
    case Judged::for_others:
      done.what = BundleOutcome::for_others;
      break;
    case Judged::torn:
      done.what = BundleOutcome::torn;
      break;
    case Judged::refused:
      done.what = BundleOutcome::refused;
      break;
  }
  return {};
}

Result<void> BundleImport::take_believed(const BundleInbox& inbox, const ArrivedBatch& arrived,
                                         const BelievedManifest& believed, ImportedBundle& done) {
  using Same = ReceivedBatches::Same;
  const auto& manifest = believed.manifest;
  done.from = manifest.from;
  done.purpose = manifest.purpose;
  auto* desk = desk_of(manifest.from);
  CHECK(desk != nullptr);
  const auto& channel = *desk->channel;
  done.channel = channel.name;
  if (done.text = wrong_way(channel, manifest); !done.text.empty()) return {};
  auto place = place_of(manifest);
  if (desk->received.has(manifest.stream, manifest.number)) {
    if (desk->received.same(manifest.stream, manifest.number, believed.hash) == Same::no) {
      done.text =
          "another bundle of this number has come before: the sender's memory is an old "
          "one, or two senders use the stream";
      done.hint = "ask " + manifest.from + "; nothing of this one was taken";
      return {};
    }
    done.what = BundleOutcome::known;
  } else {
    if (auto mistake = desk->received.chain_mistake(place, believed.hash); !mistake.empty()) {
      log::warning("bundle.out_of_chain", {{"channel", channel.name}, {"text", mistake}});
      done.remarks.push_back(std::move(mistake));
    }
    BundleInbox::Places places;
    done.mistakes = inbox.check_files(arrived, believed.shown, places);
    if (!done.mistakes.empty()) {
      done.what = BundleOutcome::torn;
      done.text = summary_of(done.mistakes, believed.shown.files.size());
      done.hint = "copy it once more, or ask " + manifest.from + " for bundle " +
                  std::to_string(manifest.number) + " again";
      TRY(note_torn(*desk, manifest, done.mistakes));
    } else {
      TRY(take_files(inbox, believed, places, *desk, done));
      TRY(desk->received.add(place, believed.hash, wall_.now()));
      done.what = BundleOutcome::taken;
    }
  }
  // Whatever has become of its files: it is signed, and says what its sender has of us.
  ASSIGN_OR_RETURN(const auto archive, BundleArchive::look_into(channel.state + "/bundles-out"));
  if (archive) {
    ASSIGN_OR_RETURN(const auto lock, archive->lock());
    TRY(archive->note_receipts(manifest));
  }
  return {};
}

// What is torn in another directory stays noted.
Result<void> BundleImport::note_torn(Desk& desk, const BundleManifest& manifest,
                                     const std::vector<std::string>& mistakes) {
  std::map<std::string, std::map<std::uint64_t, std::string>> torn;
  for (const auto& [name, stream] : desk.received.streams()) torn[name] = stream.torn;
  torn[manifest.stream][manifest.number] = summary_of(mistakes, manifest.files.size());
  TRY(desk.received.set_torn(std::move(torn)));
  return {};
}

Result<GroupRoom> BundleImport::wait_for_room(Desk& desk) {
  const auto begun = steady_.now();
  for (;;) {
    ASSIGN_OR_RETURN(const auto room, of_queue(desk.deposit->room()));
    if (room.jobs() > 0) return room;
    if (steady_.now() - begun >= kLongestWait) {
      return of_queue<GroupRoom>(
          retry("the limits of channel " + desk.channel->name + " let in no more requests",
                "`cmpost status` says why; import it again later: what has come is known"));
    }
    (void)pause(200ms, {});
  }
}

Result<void> BundleImport::put(Desk& desk, std::vector<Job>& jobs) {
  Intake intake;
  TRY(of_queue(desk.deposit->put(jobs, intake)));
  desk.deposit->log_arrivals(jobs);
  crash_point("bundle.deposited");
  jobs.clear();
  return {};
}

Result<void> BundleImport::take_files(const BundleInbox& inbox, const BelievedManifest& believed,
                                      const BundleInbox::Places& places, Desk& desk,
                                      ImportedBundle& done) {
  const auto& manifest = believed.manifest;
  const auto& channel = *desk.channel;
  std::vector<Job> jobs;
  ASSIGN_OR_RETURN(auto room, wait_for_room(desk));
  for (std::size_t i = 0; i < manifest.files.size(); ++i) {
    const auto& file = manifest.files[i];
    ASSIGN_OR_RETURN(auto contents, inbox.read(believed, i, places, parties_.opener));
    if (!is_message(file.kind)) {
      TRY(keep_extra(desk, manifest, file, contents));
      continue;
    }
    ++done.messages;
    const auto place =
        manifest.stream + " " + std::to_string(manifest.number) + " " + std::to_string(i);
    auto unwrapped =
        file.size > channel.max_message
            ? Unwrapped{Unwrapped::What::refused, {}, "it is larger than max_message", {}}
            : unwrap(contents);
    const bool message = unwrapped.what == Unwrapped::What::message;
    auto job =
        desk.deposit->job_of(make_job_id({view_of(channel.name), view_of("bundle"), view_of(place),
                                          message ? ByteView(unwrapped.message) : ByteView()}),
                             file.name);
    job.envelope.source = bundle_called(manifest.number) + ", " + whole_name(file.name);
    if (!message) {
      TRY(put_aside(desk, job, file.name, contents, unwrapped.reason));
      ++done.put_aside;
      continue;
    }
    job.payload = std::move(unwrapped.message);
    if (!room.has_room(job.payload.size())) {
      TRY(put(desk, jobs));
      ASSIGN_OR_RETURN(room, wait_for_room(desk));
    }
    room.take(job.payload.size());
    jobs.push_back(std::move(job));
  }
  return put(desk, jobs);
}

Result<void> BundleImport::put_aside(Desk& desk, const Job& job, const std::string& name,
                                     ByteView contents, const std::string& reason) {
  TRY(of_queue(desk.deposit->hold(job, reason)));
  const auto directory = desk.channel->state + "/quarantine";
  TRY(make_directories(directory));
  const auto file = job.id.text() + " " + name.substr(0, kLongestNameAside);
  TRY(write_file(directory + "/" + file, contents, 0640, IfExists::replace));
  desk.deposit->log_put_aside(job.id, job.envelope.source, reason);
  return {};
}

// A bundle that comes late does not put an old file in the place of a newer one.
Result<void> BundleImport::keep_extra(const Desk& desk, const BundleManifest& manifest,
                                      const BundleFile& file, ByteView contents) const {
  const auto& directory = desk.channel->courier()->bundle.received;
  if (directory.empty()) return {};
  const auto note = desk.channel->state + "/extras";
  ASSIGN_OR_RETURN(const auto known, read_if_there(note, kLargestExtrasNote));
  const auto time = to_iso8601(manifest.created);
  std::string rest;
  std::string_view text = known ? text_of(*known) : std::string_view();
  for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    const auto line = text.substr(0, end);
    text.remove_prefix(end + 1);
    const bool same = line.size() > time.size() && line.substr(time.size() + 1) == file.name;
    if (same && line.substr(0, time.size()) > time) return {};
    if (!same) rest += std::string(line) + "\n";
  }
  TRY(write_file(directory + "/" + file.name, contents, 0644, IfExists::replace));
  return write_file(note, view_of(rest + time + " " + file.name + "\n"), 0640, IfExists::replace);
}

}  // namespace cmpost
