#include "base/files.h"

#include <fcntl.h>
#include <stdio.h>  // renameat2 and its flags
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem.hpp>
#include <cerrno>

#include "base/crash_point.h"
#include "base/own_files.h"
#include "base/random.h"

namespace cmpost {
namespace fs = boost::filesystem;

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> FileDescriptor::close(std::string_view path) {
  const int fd = std::exchange(fd_, -1);
  if (fd >= 0 && ::close(fd) != 0) return failure(errno_error("closing", path, errno));
  return {};
}

Result<FileDescriptor> open_directory(const std::string& path) {
  FileDescriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!directory) return failure(errno_error("opening directory", path, errno));
  return directory;
}

Result<FileIdentity> identify(const FileDescriptor& file, std::string_view path) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return failure(errno_error("examining", path, errno));
  return FileIdentity{
      .inode = status.st_ino,
      .size = static_cast<std::uint64_t>(status.st_size),
      .mtime_nanos = status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec,
      .mode = status.st_mode,
      .links = status.st_nlink,
  };
}

namespace {

Result<Bytes> read_open_file(const FileDescriptor& file, const std::string& path,
                             std::size_t limit) {
  ASSIGN_OR_RETURN(const auto identity, identify(file, path));
  if (!S_ISREG(identity.mode)) return hold(path + " is not a regular file");
  if (identity.size > limit) {
    return hold(path + " has " + std::to_string(identity.size) +
                " octets, more than the limit of " + std::to_string(limit));
  }
  Bytes contents(static_cast<std::size_t>(identity.size) + 1);  // one more shows that it grew
  std::size_t size = 0;
  while (size < contents.size()) {
    const auto got = ::read(file.get(), contents.data() + size, contents.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure(errno_error("reading", path, errno));
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > identity.size) return retry(path + " grew while it was read");
  contents.resize(size);
  return contents;
}

Result<void> write_all(const FileDescriptor& file, const std::string& path, ByteView contents) {
  while (!contents.empty()) {
    const auto put = ::write(file.get(), contents.data(), contents.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return failure(errno_error("writing", path, errno));
    contents = contents.subspan(static_cast<std::size_t>(put));
  }
  return {};
}

Result<void> write_and_sync(const std::string& path, ByteView contents, mode_t mode) {
  FileDescriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!file) return failure(errno_error("creating", path, errno));
  TRY(write_all(file, path, contents));
  TRY(sync(file, path));
  return file.close(path);
}

Result<void> put_in_place(const std::string& temporary, const std::string& path,
                          IfExists if_exists) {
  if (if_exists == IfExists::fail) {
    const FileDescriptor here(AT_FDCWD);
    return rename_no_replace(here, temporary, here, path);
  }
  if (::rename(temporary.c_str(), path.c_str()) == 0) return {};
  return failure(errno_error("renaming to", path, errno));
}

}  // namespace

Result<Bytes> read_file(const std::string& path, std::size_t limit) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return failure(errno_error("opening", path, errno));
  return read_open_file(file, path, limit);
}

Result<Bytes> read_file_at(const FileDescriptor& directory, const std::string& name,
                           std::size_t limit) {
  const FileDescriptor file(::openat(directory.get(), name.c_str(),
                                     O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  if (!file) return failure(errno_error("opening", name, errno));
  return read_open_file(file, name, limit);
}

Result<void> write_file(const std::string& path, ByteView contents, mode_t mode,
                        IfExists if_exists) {
  const fs::path target(path);
  const auto parent =
      target.parent_path().empty() ? std::string(".") : target.parent_path().string();
  const auto temporary = path_below(
      parent, "." + target.filename().string() + "." + to_hex(SystemRandom().bytes(8)) + ".part");
  if (auto written = write_and_sync(temporary, contents, mode); !written) {
    ::unlink(temporary.c_str());
    return written;
  }
  crash_point("file.written");
  if (auto renamed = put_in_place(temporary, path, if_exists); !renamed) {
    ::unlink(temporary.c_str());
    return failure(std::move(renamed).error().within("creating " + path));
  }
  crash_point("file.renamed");
  return sync_directory(parent);
}

Result<void> replace_file_at(const FileDescriptor& directory, const std::string& name,
                             ByteView contents, mode_t mode) {
  const auto temporary = "." + to_hex(SystemRandom().bytes(8)) + ".part";
  const FileDescriptor file(::openat(directory.get(), temporary.c_str(),
                                     O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!file) return failure(errno_error("creating", name, errno));
  auto written = write_all(file, name, contents);
  if (written &&
      ::renameat(directory.get(), temporary.c_str(), directory.get(), name.c_str()) != 0) {
    written = failure(errno_error("renaming to", name, errno));
  }
  if (!written) ::unlinkat(directory.get(), temporary.c_str(), 0);
  return written;
}

Result<FileDescriptor> open_for_appending(const std::string& path, mode_t mode) {
  FileDescriptor file(::open(
      path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, mode));
  if (!file) return failure(errno_error("opening", path, errno));
  ASSIGN_OR_RETURN(const auto identity, identify(file, path));
  if (!S_ISREG(identity.mode) || identity.links != 1) {
    return hold(path + " is no regular file of its own: it has other names",
                "look who has linked it, and remove it");
  }
  return file;
}

namespace {

// Where there are no hard links either (FAT through FUSE): takes the name with an empty file of its
// own and renames over that.
Result<void> rename_over_own(const FileDescriptor& from_directory, const std::string& from,
                             const FileDescriptor& to_directory, const std::string& to) {
  const FileDescriptor own(::openat(to_directory.get(), to.c_str(),
                                    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!own) return failure(errno_error("creating", to, errno));
  if (::renameat(from_directory.get(), from.c_str(), to_directory.get(), to.c_str()) == 0) {
    return {};
  }
  const auto error = errno_error("renaming to", to, errno);
  ::unlinkat(to_directory.get(), to.c_str(), 0);
  return failure(error);
}

bool is_one_file(const FileDescriptor& a_directory, const std::string& a,
                 const FileDescriptor& b_directory, const std::string& b) {
  struct stat of_a {
  }, of_b{};
  return ::fstatat(a_directory.get(), a.c_str(), &of_a, AT_SYMLINK_NOFOLLOW) == 0 &&
         ::fstatat(b_directory.get(), b.c_str(), &of_b, AT_SYMLINK_NOFOLLOW) == 0 &&
         of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
}

}  // namespace

Result<void> rename_no_replace(const FileDescriptor& from_directory, const std::string& from,
                               const FileDescriptor& to_directory, const std::string& to) {
  if (::renameat2(from_directory.get(), from.c_str(), to_directory.get(), to.c_str(),
                  RENAME_NOREPLACE) == 0) {
    return {};
  }
  if (errno != EINVAL && errno != ENOSYS) return failure(errno_error("renaming to", to, errno));
  return rename_by_link(from_directory, from, to_directory, to);
}

Result<void> rename_by_link(const FileDescriptor& from_directory, const std::string& from,
                            const FileDescriptor& to_directory, const std::string& to) {
  if (::linkat(from_directory.get(), from.c_str(), to_directory.get(), to.c_str(), 0) != 0) {
    const int error = errno;
    const bool no_links = error == EPERM || error == EOPNOTSUPP || error == ENOSYS;
    if (no_links) return rename_over_own(from_directory, from, to_directory, to);
    const bool interrupted = error == EEXIST && is_one_file(from_directory, from, to_directory, to);
    if (!interrupted) return failure(errno_error("linking to", to, error));
  }
  crash_point("file.linked");
  if (::unlinkat(from_directory.get(), from.c_str(), 0) != 0) {
    return failure(errno_error("removing", from, errno));
  }
  return {};
}

Result<void> sync(const FileDescriptor& file, std::string_view path) {
  if (::fsync(file.get()) != 0) return failure(errno_error("syncing", path, errno));
  return {};
}

Result<void> sync_directory(const std::string& path) {
  FileDescriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return failure(errno_error("opening directory", path, errno));
  return sync(directory, path);
}

Result<void> make_directories(const std::string& path, mode_t mode) {
  const fs::path target(path);
  boost::system::error_code ignored;
  if (path.empty() || fs::is_directory(target, ignored)) return {};
  const auto parent = target.parent_path().string();
  if (!parent.empty()) TRY(make_directories(parent, mode));
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) {
    return failure(errno_error("creating directory", path, errno));
  }
  if (!fs::is_directory(target, ignored)) return hold(path + " exists and is not a directory");
  return sync_directory(parent.empty() ? "." : parent);
}

bool exists(const std::string& path) {
  boost::system::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

std::string path_below(const std::string& base, const std::string& path) {
  return fs::path(path).is_absolute() || base.empty() ? path : (fs::path(base) / path).string();
}

}  // namespace cmpost
