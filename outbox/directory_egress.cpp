#include "outbox/directory_egress.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "base/crash_point.h"
#include "base/group_sync.h"
#include "base/log.h"
#include "outbox/answer_name.h"
#include "outbox/leftovers.h"

namespace cmpost {
namespace {

const SteadyClock kSteady;
constexpr Duration kAskReader = std::chrono::seconds(5);

Delivery sent_as(const std::string& name) { return {Delivery::What::sent, name}; }
Delivery deferred(const Error& error) { return {Delivery::What::deferred, to_string(error)}; }

bool same_directory(const FileDescriptor& opened, const std::string& path) {
  struct stat a {
  }, b{};
  return opened && ::fstat(opened.get(), &a) == 0 && ::stat(path.c_str(), &b) == 0 &&
         a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

bool exists_at(const FileDescriptor& directory, const std::string& name) {
  struct stat status {};
  return ::fstatat(directory.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

Result<FileDescriptor> open_output(const std::string& path) {
  FileDescriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return failure(errno_error("opening directory", path, errno));
  return directory;
}

// Drafts are open until all of them are on the disk; others of this process open files, too.
std::size_t drafts_at_once() {
  constexpr std::size_t kOthers = 16, kLeast = 4;
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return kLeast;
  const auto half = static_cast<std::size_t>(limit.rlim_cur / 2);
  return half < kOthers + kLeast ? kLeast : half - kOthers;
}

Result<void> write_all(int fd, ByteView contents, const std::string& path) {
  while (!contents.empty()) {
    const auto count = ::write(fd, contents.data(), contents.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failure(errno_error("writing", path, errno));
    contents = contents.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace

DirectoryEgress::DirectoryEgress(const ChannelSettings& settings, UnderWay under_way)
    : DirectoryEgress(settings, kSteady, std::move(under_way)) {}

DirectoryEgress::DirectoryEgress(const ChannelSettings& settings, const Clock& steady,
                                 UnderWay under_way)
    : settings_(settings),
      steady_(steady),
      under_way_(std::move(under_way)),
      last_sent_(steady.now()) {}

// A group on a local disk is done in less time than anybody waits for.
Deliveries DirectoryEgress::send(std::span<const Lease> leases, const std::stop_token&) {
  Deliveries deliveries;
  if (auto opened = ensure_open(leases); !opened) {
    deliveries.each.assign(leases.size(), deferred(opened.error()));
    deliveries.trouble = opened.error();
    return deliveries;
  }
  const auto now = std::min(room(), leases.size());
  deliveries = send_now(leases.first(now));
  if (now > 0) last_sent_ = steady_.now();
  deliveries.each.resize(leases.size());
  keep_back(now, deliveries);
  if (settings_.directory()->media) {
    directory_ = {};
    staging_ = {};
  }
  return deliveries;
}

Deliveries DirectoryEgress::send_now(std::span<const Lease> leases) {
  Deliveries deliveries;
  deliveries.each.resize(leases.size());
  const auto at_once = drafts_at_once();
  for (std::size_t from = 0; from < leases.size(); from += at_once) {
    const auto until = std::min(from + at_once, leases.size());
    auto drafts = write_drafts(leases, from, until, deliveries);
    crash_point("outbox.written");
    sync_drafts(drafts, deliveries);
    crash_point("outbox.synced");
    publish(drafts, leases, from, until, deliveries);
  }
  if (settings_.directory()->media) read_back(leases, deliveries);
  return deliveries;
}

// How many answers the reader of `out` can take now.
std::size_t DirectoryEgress::room() const {
  const auto& directory = *settings_.directory();
  const bool paced = directory.pace > Duration::zero();
  if (paced && steady_.now() - last_sent_ < directory.pace) return 0;
  std::size_t room = paced ? 1 : std::numeric_limits<std::size_t>::max();
  if (directory.max_outstanding > 0) {
    const auto there = count_visible_files(directory_, directory.max_outstanding);
    room = std::min(room, directory.max_outstanding - there);
  }
  return room;
}

// The rest goes one after the other, `pace` apart, or when the reader has taken some.
void DirectoryEgress::keep_back(std::size_t from, Deliveries& deliveries) const {
  const auto pace = settings_.directory()->pace;
  for (auto i = from; i < deliveries.each.size(); ++i) {
    auto& delivery = deliveries.each[i];
    delivery.what = Delivery::What::deferred;
    delivery.paced = pace > Duration::zero() && settings_.directory()->max_outstanding == 0;
    delivery.detail = delivery.paced ? "the reader takes one answer at a time"
                                     : "so many answers are not yet taken from the directory";
    delivery.after = delivery.paced ? pace * static_cast<std::int64_t>(i - from + 1) : kAskReader;
  }
}

Result<void> DirectoryEgress::ensure_open(std::span<const Lease> leases) {
  const auto& directory = *settings_.directory();
  const bool staged = !directory.staging.empty();
  if (same_directory(directory_, directory.out) &&
      (!staged || same_directory(staging_, directory.staging))) {
    return {};
  }
  ASSIGN_OR_RETURN(directory_, open_output(directory.out));
  if (staged) {
    ASSIGN_OR_RETURN(staging_, open_output(directory.staging));
  }
  const auto removed = remove_leftover_parts(drafts(), leases, under_way_);
  if (removed > 0) {
    log::info("channel.tidied", {{"channel", channel()}, {"removed", removed}});
  }
  return {};
}

std::vector<DirectoryEgress::Draft> DirectoryEgress::write_drafts(std::span<const Lease> leases,
                                                                  std::size_t from,
                                                                  std::size_t until,
                                                                  Deliveries& deliveries) const {
  std::vector<Draft> drafts;
  for (std::size_t i = from; i < until; ++i) {
    const auto& job = leases[i].job;
    const auto names = answer_names(settings_.directory()->name_template, leases[i]);
    if (leases[i].attempts > 1) {
      const auto sent = std::find_if(names.begin(), names.end(),
                                     [&](const auto& name) { return is_there(name, job.payload); });
      if (sent != names.end()) {
        deliveries.each[i] = sent_as(*sent);
        continue;
      }
    }
    const auto temporary = part_name(names.front(), job.id);
    auto file = deliveries.trouble ? Result<FileDescriptor>(failure(*deliveries.trouble))
                                   : write_draft(temporary, job.payload);
    if (file) {
      drafts.push_back({i, temporary, std::move(*file)});
    } else {
      deliveries.each[i] = deferred(file.error());
      deliveries.trouble = std::move(file).error();
    }
  }
  return drafts;
}

Result<FileDescriptor> DirectoryEgress::write_draft(const std::string& temporary,
                                                    ByteView contents) const {
  const auto& directory = *settings_.directory();
  const auto path = (staging_ ? directory.staging : directory.out) + "/" + temporary;
  const auto create = [&] {
    return FileDescriptor(::openat(drafts().get(), temporary.c_str(),
                                   O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644));
  };
  auto file = create();
  if (!file && errno == EEXIST) {  // left by a crash of this or another process
    discard(temporary);
    file = create();
  }
  if (!file) return failure(errno_error("creating", path, errno));
  if (auto written = write_all(file.get(), contents, path); !written) {
    discard(temporary);
    return failure(std::move(written).error());
  }
  start_writeback(file);
  return file;
}

void DirectoryEgress::sync_drafts(std::vector<Draft>& drafts, Deliveries& deliveries) const {
  std::vector<int> files;
  for (const auto& draft : drafts) files.push_back(draft.file.get());
  const auto errors = sync_group(files);
  std::vector<Draft> durable;
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    if (errors[i] == 0) {
      durable.push_back(std::move(drafts[i]));
      continue;
    }
    const auto error = errno_error("syncing", drafts[i].temporary, errors[i]);
    deliveries.each[drafts[i].index] = deferred(error);
    deliveries.trouble = error;
    discard(drafts[i].temporary);
  }
  drafts = std::move(durable);
}

// Of those before `from` the directory has been synced, and their reader may have taken them.
void DirectoryEgress::publish(const std::vector<Draft>& drafts, std::span<const Lease> leases,
                              std::size_t from, std::size_t until, Deliveries& deliveries) const {
  for (const auto& draft : drafts) {
    deliveries.each[draft.index] = publish_one(draft, leases[draft.index], deliveries);
    crash_point("outbox.renamed");
  }
  const auto synced = sync(directory_, settings_.directory()->out);
  crash_point("outbox.directory_synced");
  if (synced) return;
  deliveries.trouble = synced.error();
  for (std::size_t i = from; i < until; ++i) {
    auto& delivery = deliveries.each[i];
    if (delivery.what == Delivery::What::sent) delivery = deferred(synced.error());
  }
}

Delivery DirectoryEgress::publish_one(const Draft& draft, const Lease& lease,
                                      Deliveries& deliveries) const {
  for (const auto& name : answer_names(settings_.directory()->name_template, lease)) {
    const auto renamed = rename_no_replace(drafts(), draft.temporary, directory_, name);
    if (renamed) return sent_as(name);
    if (!exists_at(directory_, name)) {
      discard(draft.temporary);
      deliveries.trouble = renamed.error();
      return deferred(renamed.error());
    }
    if (is_there(name, lease.job.payload)) {
      discard(draft.temporary);
      return sent_as(name);
    }
  }
  discard(draft.temporary);
  return {Delivery::What::held, "other files have all the names that the answer may have"};
}

bool DirectoryEgress::is_there(const std::string& name, ByteView contents) const {
  const auto found = read_file_at(directory_, name, contents.size());
  if (!found || !equal(*found, contents)) return false;
  const FileDescriptor file(
      ::openat(directory_.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  return file && ::fsync(file.get()) == 0;
}

void DirectoryEgress::discard(const std::string& temporary) const {
  ::unlinkat(drafts().get(), temporary.c_str(), 0);
}

// A medium may have taken the octets and lost them; what is still in memory does not count.
void DirectoryEgress::read_back(std::span<const Lease> leases, Deliveries& deliveries) const {
  for (std::size_t i = 0; i < leases.size(); ++i) {
    auto& delivery = deliveries.each[i];
    if (delivery.what != Delivery::What::sent) continue;
    forget_cached(directory_, delivery.detail);
    if (is_there(delivery.detail, leases[i].job.payload)) continue;
    const Error error{Recovery::retry, "the medium does not hold what was written to it", ""};
    delivery = deferred(error);
    deliveries.trouble = error;
  }
}

}  // namespace cmpost
