#include "carrier/bundles/bundle_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/crash_point.h"
#include "base/group_sync.h"
#include "crypto/keys/running_hash.h"

namespace cmpost {
namespace {

constexpr std::size_t kPart = std::size_t{256} << 10U;
constexpr std::size_t kOpenFiles = 200;

Result<FileDescriptor> open_regular(const FileDescriptor& directory, const std::string& name,
                                    std::uint64_t limit) {
  FileDescriptor file(
      ::openat(directory.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file) return failure(errno_error("opening", name, errno));
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return failure(errno_error("examining", name, errno));
  if (!S_ISREG(status.st_mode)) return hold("no regular file");
  if (static_cast<std::uint64_t>(status.st_size) > limit) return hold("too long");
  return file;
}

Result<void> write_all(const FileDescriptor& file, ByteView part, const std::string& name) {
  while (!part.empty()) {
    const auto count = ::write(file.get(), part.data(), part.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failure(errno_error("writing", name, errno));
    part = part.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace

std::string name_while_written(const std::string& name) { return "." + name + ".part"; }

Result<FileDigest> digest_of(const FileDescriptor& directory, const std::string& name,
                             std::uint64_t limit) {
  return read_parts(directory, name, limit, [](ByteView) { return Result<void>(); });
}

Result<FileDigest> read_parts(const FileDescriptor& directory, const std::string& name,
                              std::uint64_t limit, const TakePart& take) {
  ASSIGN_OR_RETURN(const auto file, open_regular(directory, name, limit));
  FileDigest digest;
  RunningSha256 hash;
  Bytes buffer(kPart);
  for (;;) {
    const auto count = ::read(file.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failure(errno_error("reading", name, errno));
    if (count == 0) break;
    const auto part = ByteView(buffer).first(static_cast<std::size_t>(count));
    digest.size += part.size();
    if (digest.size > limit) return hold("too long");  // it grows
    hash.add(part);
    TRY(take(part));
  }
  digest.sha256 = hash.finish();
  return digest;
}

FileGroup::~FileGroup() {
  for (const auto& one : pending_) {
    ::unlinkat(directory_.get(), name_while_written(one.name).c_str(), 0);
  }
}

Result<void> FileGroup::add(const std::string& name, ByteView contents) {
  return add(name, [&](const TakePart& append) { return append(contents); });
}

Result<void> FileGroup::add(const std::string& name, const Write& write) {
  if (pending_.size() >= kOpenFiles) TRY(settle());
  const auto hidden = name_while_written(name);
  ::unlinkat(directory_.get(), hidden.c_str(), 0);
  FileDescriptor file(::openat(directory_.get(), hidden.c_str(),
                               O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!file) return failure(errno_error("creating", name, errno));
  pending_.push_back({name, std::move(file)});
  TRY(write([&](ByteView part) { return write_all(pending_.back().file, part, name); }));
  start_writeback(pending_.back().file);
  return {};
}

Result<void> FileGroup::finish() { return settle(); }

Result<void> FileGroup::settle() {
  std::vector<int> numbers;
  for (const auto& one : pending_) numbers.push_back(one.file.get());
  for (const int error : sync_group(numbers)) {
    if (error != 0) return failure(errno_error("syncing", "the files of a bundle", error));
  }
  crash_point("bundle.files_synced");
  while (!pending_.empty()) {
    const auto& name = pending_.back().name;
    TRY(rename_no_replace(directory_, name_while_written(name), directory_, name));
    pending_.pop_back();
  }
  return {};
}

}  // namespace cmpost
