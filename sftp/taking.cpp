// From a file at the server to a job in the queue, and what then becomes of the file.
#include <algorithm>

#include "base/crash_point.h"
#include "base/log.h"
#include "sftp/remote_name.h"
#include "sftp/sftp_ingress.h"
#include "watcher/file_names.h"
#include "watcher/unwrap.h"

namespace cmpost {
namespace {

constexpr std::size_t kMostRemembered = 100'000;

}  // namespace

Bytes SftpIngress::arrival_of(const std::string& name, const RemoteLook& look) const {
  const auto& url = settings_.sftp()->fetch;
  return to_bytes("sftp://" + url.user + "@" + url.host + ":" + std::to_string(url.port) + "/" +
                  url.path + "/" + name + "?mtime=" + std::to_string(look.mtime.value_or(0)));
}

JobId SftpIngress::key_of(const std::string& name, const RemoteLook& look) const {
  const auto size = std::to_string(look.size.value_or(0));
  return make_job_id({arrival_of(name, look), view_of(size)});
}

Result<std::vector<SftpIngress::Read>> SftpIngress::read(const std::vector<Found>& group,
                                                         std::optional<Error>& broken) {
  std::vector<Read> reads(group.size());
  auto done = sessions_.for_parts(group.size(),
                                  [&](SftpDialogue& dialogue, std::size_t begin, std::size_t end) {
                                    return read_part(dialogue, group, begin, end, reads);
                                  });
  if (!done) broken = std::move(done).error();
  return reads;
}

Result<void> SftpIngress::read_part(SftpDialogue& dialogue, const std::vector<Found>& group,
                                    std::size_t begin, std::size_t end,
                                    std::vector<Read>& reads) const {
  std::vector<Wanted> wanted;
  std::vector<std::size_t> owners;
  for (auto i = begin; i < end; ++i) {
    // A size that is not told is found by reading.
    const bool told = group[i].look.size.has_value();
    const auto size = group[i].look.size.value_or(settings_.max_message);
    if (size <= settings_.max_message) {
      wanted.push_back({remote_path(settings_.sftp()->fetch.path, group[i].name),
                        static_cast<std::size_t>(size), told});
      owners.push_back(i);
      continue;
    }
    reads[i].what = Read::What::bad;
    reads[i].reason = "the file has " + std::to_string(size) + " octets, more than the limit of " +
                      std::to_string(settings_.max_message);
    reads[i].hint = "max_message of the channel is the limit";
  }
  ASSIGN_OR_RETURN(auto fetched, fetch_files(dialogue, wanted));
  for (std::size_t k = 0; k < owners.size(); ++k) {
    auto& read = reads[owners[k]];
    const bool too_large = !wanted[k].size_is_known && fetched[k].changed;
    read = judge(std::move(fetched[k]));
    if (!too_large) continue;
    read.what = Read::What::bad;
    read.reason =
        "the file has more octets than the limit of " + std::to_string(settings_.max_message);
    read.hint = "max_message of the channel is the limit";
  }
  auto checked = check_markers(dialogue, group, begin, end, reads);
  for (auto i = begin; !checked && i < end; ++i) {
    if (group[i].marker_size > 0) reads[i] = {};  // without its marker it is not judged
  }
  return checked;
}

SftpIngress::Read SftpIngress::judge(Fetched fetched) const {
  Read read;
  if (fetched.status.code == SftpCode::no_such_file) {
    read.what = Read::What::gone;
    return read;
  }
  if (!fetched.status.ok()) {
    const auto error = remote_error("reading", "it", sessions_.peer(), fetched.status);
    read.what = Read::What::unreadable;
    read.reason = error.what;
    read.hint = error.hint;
    return read;
  }
  read.what = Read::What::wait;
  if (fetched.changed) return read;  // it is being written: look again
  read.contents = sha256(fetched.contents);
  auto unwrapped = unwrap(std::move(fetched.contents));
  const bool message = unwrapped.what == Unwrapped::What::message;
  read.what = message ? Read::What::take : Read::What::bad;
  read.message = std::move(unwrapped.message);
  read.reason = std::move(unwrapped.reason);
  read.hint = std::move(unwrapped.hint);
  read.may_grow = unwrapped.what == Unwrapped::What::incomplete;
  return read;
}

// A marker that names a digest has the last word: with another one the file may still grow, with
// this one it is whole, whatever it holds.
Result<void> SftpIngress::check_markers(SftpDialogue& dialogue, const std::vector<Found>& group,
                                        std::size_t begin, std::size_t end,
                                        std::vector<Read>& reads) const {
  std::vector<Wanted> wanted;
  std::vector<std::size_t> owners;
  for (auto i = begin; i < end; ++i) {
    if (group[i].marker_size == 0 || !reads[i].contents) continue;
    wanted.push_back(
        {remote_path(settings_.sftp()->fetch.path, group[i].marker), group[i].marker_size});
    owners.push_back(i);
  }
  ASSIGN_OR_RETURN(const auto fetched, fetch_files(dialogue, wanted));
  for (std::size_t k = 0; k < owners.size(); ++k) {
    auto& read = reads[owners[k]];
    const auto digest = read_marker(fetched[k].contents);
    if (!fetched[k].status.ok() || fetched[k].changed) {
      read.what = Read::What::wait;
    } else if (!digest) {
      read.what = Read::What::bad;
      read.reason = digest.error().what;
    } else if (*digest && **digest != *read.contents) {
      read.what = Read::What::bad;
      read.reason = "its marker names another SHA-256";
      read.hint = "send the file again, and the marker after it";
      read.may_grow = true;
    } else if (*digest) {
      read.may_grow = false;
    }
  }
  return {};
}

SourceFile SftpIngress::source_of(const Found& found, const JobId& id) const {
  return {found.name, found.look, id, found.marker, std::nullopt};
}

// What was let go of and is there once more with its old time has been put in again.
JobId SftpIngress::job_id_of(const Found& found, ByteView message) const {
  const auto arrival = arrival_of(found.name, found.look);
  const auto id = make_job_id({view_of(channel()), arrival, message});
  if (!let_go_.contains(id)) return id;
  log::info("job.again",
            {{"job", id.text()}, {"channel", channel()}, {"source", printable(found.name)}});
  const auto now = std::to_string(to_unix_micros(wall_.now()));
  return make_job_id({view_of(channel()), arrival, message, view_of("again " + now)});
}

Job SftpIngress::job_of_unread(const std::string& name) const {
  return deposit_.job_of(make_job_id({view_of(channel()), view_of(name), view_of("left out")}),
                         name);
}

SftpIngress::Taken SftpIngress::claim(const Found& found, Read read) const {
  Taken taken;
  taken.job = deposit_.job_of(job_id_of(found, read.message), found.name);
  taken.job.payload = std::move(read.message);
  taken.file = source_of(found, taken.job.id);
  // Within the same second another file may come that has the same size.
  if (!found.settled) taken.file.contents = read.contents;
  return taken;
}

Result<void> SftpIngress::deposit(std::vector<Taken> taken, Intake& intake) {
  if (taken.empty()) return {};
  std::vector<Job> jobs;
  std::vector<JobId> keys;
  for (auto& one : taken) {
    jobs.push_back(std::move(one.job));
    one.job = {jobs.back().id, jobs.back().envelope, {}};
    if (ledger_) keys.push_back(key_of(one.file.name, one.file.look));
  }
  const auto known = intake.known;
  TRY(deposit_.put(jobs, intake));
  crash_point("sftp.deposited");
  if (ledger_) {
    TRY(ledger_->add(keys));
    present_keys_.insert(keys.begin(), keys.end());
  }
  deposit_.log_arrivals(jobs);
  if (intake.known > known) {
    log::info("jobs.known", {{"channel", channel()},
                             {"files", intake.known - known},
                             {"text", "had come before, at the same time with the same octets"}});
  }
  return release(std::move(taken));
}

// A file that cannot be let go of is remembered, so that it is not fetched again; the rest goes on.
Result<void> SftpIngress::release(std::vector<Taken> taken) {
  std::vector<LetGo> outcomes(taken.size(), {LetGo::What::failed, {}});
  TRY(sessions_.for_parts(
      taken.size(),
      [&](SftpDialogue& dialogue, std::size_t begin, std::size_t end) -> Result<void> {
        std::vector<SourceFile> files;
        for (auto i = begin; i < end; ++i) files.push_back(taken[i].file);
        ASSIGN_OR_RETURN(auto part, let_go(dialogue, *settings_.sftp(), files));
        std::move(part.begin(), part.end(), outcomes.begin() + static_cast<std::ptrdiff_t>(begin));
        return {};
      }));
  crash_point("sftp.released");
  for (std::size_t i = 0; i < taken.size(); ++i) {
    const auto& name = taken[i].file.name;
    if (outcomes[i].what == LetGo::What::failed) {
      if (!trouble_) trouble_ = outcomes[i].error;
      folders_made_ = false;  // perhaps somebody has removed them
      unreleased_.insert_or_assign(name, std::move(taken[i]));
      continue;
    }
    if (let_go_.size() >= kMostRemembered) let_go_.clear();
    if (!ledger_) let_go_.insert(taken[i].job.id);
    unreleased_.erase(name);
    settling_.forget(name);
    if (outcomes[i].what == LetGo::What::replaced) {
      log::info("input.replaced", {{"channel", channel()}, {"source", printable(name)}});
    }
  }
  return {};
}

Result<void> SftpIngress::quarantine(const Found& found, const Read& read, Intake& intake) {
  const auto job = deposit_.job_of(
      make_job_id({view_of(channel()), arrival_of(found.name, found.look), view_of("quarantine")}),
      found.name);
  TRY(deposit_.hold(job, read.reason, read.hint));
  crash_point("sftp.held");
  const auto text =
      reason_text(wall_.now(), found.name, {Recovery::hold, read.reason, read.hint}, job.id);
  ASSIGN_OR_RETURN(auto* const dialogue, sessions_.first());
  ASSIGN_OR_RETURN(const auto outcome,
                   set_aside(*dialogue, *settings_.sftp(), source_of(found, job.id), text));
  crash_point("sftp.quarantined");
  if (outcome.what == LetGo::What::failed) {
    if (!trouble_) trouble_ = outcome.error;
    folders_made_ = false;
    return {};
  }
  if (ledger_) {
    const auto key = key_of(found.name, found.look);
    TRY(ledger_->add({&key, 1}));
    present_keys_.insert(key);
  }
  settling_.forget(found.name);
  if (outcome.what == LetGo::What::replaced) return {};
  ++intake.quarantined;
  deposit_.log_put_aside(job.id, job.envelope.source, read.reason);
  return {};
}

// The job id proves that the file is the job's: a name may have been used before.
Result<void> SftpIngress::set_aside_refused() {
  if (settings_.sftp()->after != SftpAfter::move) return {};
  return deposit_.set_aside_refused(
      [this](const JobStatus& job, const Error& why) { return set_aside_one(job, why); });
}

Result<bool> SftpIngress::set_aside_one(const JobStatus& job, const Error& why) {
  if (refused_.contains(job.id)) return false;
  const auto payload = deposit_.queue().payload(job.id);
  const auto& name = job.envelope.source;
  if (!payload || !name_mistake(name).empty()) return false;  // of a time of another channel
  const auto is_it = [&](const RemoteLook& look) {
    return make_job_id({view_of(channel()), arrival_of(name, look), *payload}) == job.id;
  };
  ASSIGN_OR_RETURN(auto* const dialogue, sessions_.first());
  ASSIGN_OR_RETURN(const bool moved,
                   set_aside_done(*dialogue, *settings_.sftp(), name, job.id,
                                  reason_text(wall_.now(), name, why, job.id), is_it));
  refused_.insert(job.id);
  return moved;
}

}  // namespace cmpost
