#include "watcher/drop_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "base/presence.h"
#include "watcher/file_names.h"

namespace cmpost {
namespace {

Result<FileDescriptor> open_neighbour(const FileDescriptor& in, const std::string& path,
                                      const char* name) {
  if (::mkdirat(in.get(), name, 0750) != 0 && errno != EEXIST) {
    return failure(errno_error("creating directory", path + "/" + name, errno));
  }
  FileDescriptor directory(
      ::openat(in.get(), name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!directory) return failure(errno_error("opening directory", path + "/" + name, errno));
  return directory;
}

std::int64_t nanos(const timespec& time) { return time.tv_sec * 1'000'000'000LL + time.tv_nsec; }

// Does the name still mean the directory that is open?
bool names(int place, const char* name, const FileDescriptor& open) {
  struct stat named {
  }, opened{};
  const int flags = place == AT_FDCWD ? 0 : AT_SYMLINK_NOFOLLOW;
  return ::fstatat(place, name, &named, flags) == 0 && ::fstat(open.get(), &opened) == 0 &&
         named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

}  // namespace

Result<DropDirectory> DropDirectory::open(const std::string& path) {
  DropDirectory drop;
  drop.path_ = path;
  drop.in_ = FileDescriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!drop.in_) return failure(errno_error("opening directory", path, errno));
  ASSIGN_OR_RETURN(drop.work_, open_neighbour(drop.in_, path, ".work"));
  ASSIGN_OR_RETURN(drop.done_, open_neighbour(drop.in_, path, ".done"));
  ASSIGN_OR_RETURN(drop.quarantine_, open_neighbour(drop.in_, path, ".quarantine"));
  drop.kind_ = file_system_kind(drop.in_);
  return drop;
}

bool DropDirectory::is_current() const {
  return names(AT_FDCWD, path_.c_str(), in_) && names(in_.get(), ".work", work_) &&
         names(in_.get(), ".done", done_) && names(in_.get(), ".quarantine", quarantine_);
}

const FileDescriptor& DropDirectory::at(Place place) const {
  switch (place) {
    case Place::work:
      return work_;
    case Place::done:
      return done_;
    case Place::quarantine:
      return quarantine_;
    case Place::in:
      break;
  }
  return in_;
}

Result<std::optional<Look>> DropDirectory::look(Place place, const std::string& name) const {
  struct stat status {};
  if (::fstatat(at(place).get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return std::nullopt;
    return failure(errno_error("examining", printable(name), errno));
  }
  return Look{status.st_ino,         static_cast<std::uint64_t>(status.st_size),
              nanos(status.st_mtim), nanos(status.st_ctim),
              status.st_nlink,       status.st_mode & S_IFMT};
}

Result<std::string> DropDirectory::move(Place from, const std::string& name, Place to,
                                        const std::string& mark, std::size_t reserve) const {
  const auto plain = marked_name(name, "", reserve);
  Result<void> moved;
  for (const auto& target :
       {plain, marked_name(name, "1", reserve), marked_name(name, mark, reserve)}) {
    moved = rename_no_replace(at(from), name, at(to), target);
    if (moved) return target;
    const auto taken = is_there(at(to), target);
    if (!taken || !*taken) break;
  }
  return failure(std::move(moved).error());
}

bool DropDirectory::renew(const std::string& name) const {
  const timespec times[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
  return ::utimensat(in_.get(), name.c_str(), times, AT_SYMLINK_NOFOLLOW) == 0;
}

Result<void> DropDirectory::sync() const {
  TRY(cmpost::sync(done_, path_ + "/.done"));
  return cmpost::sync(quarantine_, path_ + "/.quarantine");
}

Result<void> DropDirectory::sync_claims() const { return cmpost::sync(work_, path_ + "/.work"); }

std::int64_t DropDirectory::file_system_now() const {
  struct stat status {};
  if (!kind_.tells_events || ::futimens(work_.get(), nullptr) != 0) return 0;
  return ::fstat(work_.get(), &status) == 0 ? nanos(status.st_ctim) : 0;
}

std::size_t DropDirectory::purge(Place place, std::int64_t before) const {
  auto listing = Listing::start(at(place));
  if (!listing) return 0;
  std::size_t removed = 0;
  for (auto names = listing->next(1000); names && !names->empty(); names = listing->next(1000)) {
    for (const auto& name : *names) {
      const auto entry = look(place, name);
      // The rename that brought it here has set the ctime.
      if (!entry || !*entry || (*entry)->ctime_nanos / 1'000'000'000 >= before) continue;
      const int flag = S_ISDIR((*entry)->type) ? AT_REMOVEDIR : 0;
      if (::unlinkat(at(place).get(), name.c_str(), flag) == 0) ++removed;
    }
  }
  return removed;
}

Result<Listing> Listing::start(const FileDescriptor& directory) {
  const int own = ::openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (own < 0) return failure(errno_error("listing", "the directory", errno));
  DIR* stream = ::fdopendir(own);
  if (stream != nullptr) return Listing(stream);
  const int error_number = errno;
  ::close(own);
  return failure(errno_error("listing", "the directory", error_number));
}

Listing::~Listing() {
  if (stream_ != nullptr) ::closedir(static_cast<DIR*>(stream_));
}

Result<std::vector<std::string>> Listing::next(std::size_t max) {
  ASSIGN_OR_RETURN(auto entries, next_entries(max));
  std::vector<std::string> names;
  names.reserve(entries.size());
  for (auto& entry : entries) names.push_back(std::move(entry.name));
  return names;
}

Result<std::vector<Listing::Entry>> Listing::next_entries(std::size_t max) {
  std::vector<Entry> entries;
  while (entries.size() < max) {
    errno = 0;
    const auto* entry = ::readdir(static_cast<DIR*>(stream_));
    if (entry == nullptr && errno != 0)
      return failure(errno_error("listing", "the directory", errno));
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    entries.push_back({std::string(name), entry->d_type == DT_REG});
  }
  return entries;
}

}  // namespace cmpost
