#include "queue/lease_owner.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/random.h"

namespace cmpost {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kInfix = ".owner-";

std::string path_of(const std::string& database, const std::string& token) {
  return database + std::string(kInfix) + token;
}

// Other users share a database by its mode and group; they have to read the file to see the lock.
// stat(2), since closing a descriptor of the database would drop SQLite's locks.
Result<void> share_like(const std::string& database, const FileDescriptor& file) {
  struct stat status {};
  if (::stat(database.c_str(), &status) != 0) {
    return failure(errno_error("examining", database, errno));
  }
  if (::fchown(file.get(), static_cast<uid_t>(-1), status.st_gid) != 0 && errno != EPERM) {
    return failure(errno_error("setting the group of the lock of", database, errno));
  }
  if (::fchmod(file.get(), status.st_mode & 0660) != 0) {
    return failure(errno_error("setting the mode of the lock of", database, errno));
  }
  return {};
}

FileDescriptor open_owner(const std::string& database, const std::string& token) {
  const auto path = path_of(database, token);
  return FileDescriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
}

// Between making and locking it somebody may have taken the file for a dead one and removed it.
bool lock(const FileDescriptor& file) {
  struct stat status {};
  return ::flock(file.get(), LOCK_EX | LOCK_NB) == 0 && ::fstat(file.get(), &status) == 0 &&
         status.st_nlink == 1;
}

}  // namespace

Result<LeaseOwner> LeaseOwner::create(const std::string& database) {
  for (;;) {
    const auto token = to_hex(SystemRandom().bytes(8));
    const auto path = path_of(database, token);
    FileDescriptor file(
        ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file) return failure(errno_error("creating", path, errno));
    const bool locked = lock(file);
    auto shared = share_like(database, file);
    if (locked && shared) return LeaseOwner(path, token, std::move(file));
    ::unlink(path.c_str());
    TRY(shared);
  }
}

LeaseOwner::~LeaseOwner() {
  if (file_) ::unlink(path_.c_str());
}

bool is_alive(const std::string& database, const std::string& token) {
  const auto file = open_owner(database, token);
  if (!file) return errno != ENOENT;
  // Shared: two that look at the same time must not see each other.
  return ::flock(file.get(), LOCK_SH | LOCK_NB) != 0;
}

// The lock is kept over the removal: an owner that is just starting finds either the lock or the
// removal, and takes another name.
void remove_dead_owner(const std::string& database, const std::string& token) {
  const auto file = open_owner(database, token);
  if (file && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0) {
    ::unlink(path_of(database, token).c_str());
  }
}

std::vector<std::string> owner_files(const std::string& database) {
  const fs::path path(database);
  const auto prefix = path.filename().string() + std::string(kInfix);
  std::vector<std::string> tokens;
  std::error_code error;
  for (fs::directory_iterator at(path.parent_path(), error), end; !error && at != end;
       at.increment(error)) {
    const auto name = at->path().filename().string();
    if (name.starts_with(prefix)) tokens.push_back(name.substr(prefix.size()));
  }
  return tokens;
}

}  // namespace cmpost
