#include "outbox/directory_egress.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/crash_point.h"
#include "base/log.h"
#include "outbox/answer_name.h"
#include "outbox/group_sync.h"
#include "outbox/leftovers.h"

namespace cmpost {
namespace {

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

// A group on a local disk is done in less time than anybody waits for.
Deliveries DirectoryEgress::send(std::span<const Lease> leases, const std::stop_token&) {
  Deliveries deliveries;
  if (auto opened = ensure_open(); !opened) {
    deliveries.each.assign(leases.size(), deferred(opened.error()));
    deliveries.trouble = opened.error();
    return deliveries;
  }
  deliveries.each.resize(leases.size());
  auto drafts = write_drafts(leases, deliveries);
  crash_point("outbox.written");
  sync_drafts(drafts, deliveries);
  crash_point("outbox.synced");
  publish(drafts, leases, deliveries);
  return deliveries;
}

Result<void> DirectoryEgress::ensure_open() {
  const auto& path = settings_.directory.out;
  if (same_directory(directory_, path)) return {};
  directory_ = FileDescriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory_) return failure(errno_error("opening directory", path, errno));
  if (const auto removed = remove_leftover_parts(directory_); removed > 0) {
    log::info("channel.tidied", {{"channel", channel()}, {"removed", removed}});
  }
  return {};
}

std::vector<DirectoryEgress::Draft> DirectoryEgress::write_drafts(std::span<const Lease> leases,
                                                                  Deliveries& deliveries) const {
  std::vector<Draft> drafts;
  for (std::size_t i = 0; i < leases.size(); ++i) {
    const auto& job = leases[i].job;
    const auto names = answer_names(settings_.directory.name_template, leases[i]);
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
  const auto path = settings_.directory.out + "/" + temporary;
  const auto create = [&] {
    return FileDescriptor(::openat(directory_.get(), temporary.c_str(),
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

void DirectoryEgress::publish(const std::vector<Draft>& drafts, std::span<const Lease> leases,
                              Deliveries& deliveries) const {
  for (const auto& draft : drafts) {
    deliveries.each[draft.index] = publish_one(draft, leases[draft.index], deliveries);
    crash_point("outbox.renamed");
  }
  const auto synced = sync(directory_, settings_.directory.out);
  crash_point("outbox.directory_synced");
  if (synced) return;
  deliveries.trouble = synced.error();
  for (auto& delivery : deliveries.each) {
    if (delivery.what == Delivery::What::sent) delivery = deferred(synced.error());
  }
}

Delivery DirectoryEgress::publish_one(const Draft& draft, const Lease& lease,
                                      Deliveries& deliveries) const {
  for (const auto& name : answer_names(settings_.directory.name_template, lease)) {
    const auto renamed = rename_no_replace(directory_, draft.temporary, directory_, name);
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
  ::unlinkat(directory_.get(), temporary.c_str(), 0);
}

}  // namespace cmpost
