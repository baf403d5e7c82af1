#include "base/file_lock.h"

#include <fcntl.h>

#include <cerrno>

namespace cmpost {
namespace {

struct flock whole_file() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

}  // namespace

Result<std::optional<FileDescriptor>> try_lock(const std::string& path) {
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file) return failure(errno_error("opening", path, errno));
  struct flock lock = whole_file();
  if (::fcntl(file.get(), F_OFD_SETLK, &lock) == 0) return std::optional(std::move(file));
  if (errno == EWOULDBLOCK || errno == EACCES) return std::optional<FileDescriptor>();
  return failure(errno_error("locking", path, errno));
}

// Asks without taking it for a moment, in which its owner to be would find it taken.
bool is_locked(const std::string& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct flock lock = whole_file();
  return file && ::fcntl(file.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

}  // namespace cmpost
