#include "carrier/medium.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>

#include "base/files.h"
#include "crypto/keys/algorithm.h"

namespace cmpost {
namespace {

constexpr const char* kLabelFile = ".cmpost-medium";
constexpr std::size_t kLabelOctets = 16;

// What a medium that is gone, or just being pulled out, makes of a system call.
bool is_absence(int error_number) {
  for (const int absence : {ENOENT, ENOTDIR, ENODEV, ENXIO, ENOMEDIUM, EIO, ESTALE, ENOTCONN}) {
    if (error_number == absence) return true;
  }
  return false;
}

Result<std::optional<Medium>> unless_absent(const char* doing, const std::string& path,
                                            int error_number) {
  if (is_absence(error_number)) return std::nullopt;
  return failure(errno_error(doing, path, error_number));
}

Result<bool> is_mount_point(const std::string& path) {
  struct stat own {
  }, parent{};
  if (::stat(path.c_str(), &own) != 0 || ::stat((path + "/..").c_str(), &parent) != 0) {
    if (is_absence(errno)) return false;
    return failure(errno_error("examining", path, errno));
  }
  return own.st_dev != parent.st_dev || own.st_ino == parent.st_ino;
}

// The names, sizes and times of what lies there.
Result<std::string> digest_of(const std::string& directory) {
  std::set<std::string> entries;
  std::error_code error;
  for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end;
       at.increment(error)) {
    struct stat status {};
    if (::lstat(at->path().c_str(), &status) != 0) {
      if (errno == ENOENT) continue;
      return failure(errno_error("examining", at->path().string(), errno));  // no other medium
    }
    entries.insert(at->path().filename().string() + "/" + std::to_string(status.st_size) + "/" +
                   std::to_string(status.st_mtim.tv_sec));
  }
  if (error) return retry("cannot list " + directory + ": " + error.message());
  std::string all;
  for (const auto& entry : entries) all += entry + "\n";
  return to_hex(sha256(view_of(all))).substr(0, 2 * kLabelOctets);
}

bool is_label(std::string_view text) {
  const auto octets = from_hex(text);
  return octets && octets->size() == kLabelOctets;
}

Result<std::optional<Medium>> read_only_medium(const std::string& in) {
  ASSIGN_OR_RETURN(const auto digest, digest_of(in));
  return Medium{"read-only-" + digest, false};
}

}  // namespace

Result<std::optional<Medium>> find_medium(const MediumPlace& place, Random* label) {
  if (!place.mount_point.empty()) {
    ASSIGN_OR_RETURN(const bool mounted, is_mount_point(place.mount_point));
    if (!mounted) return std::nullopt;
  }
  const FileDescriptor directory(::open(place.in.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return unless_absent("opening directory", place.in, errno);
  const bool writable = ::faccessat(directory.get(), ".", W_OK, AT_EACCESS) == 0;
  const auto path = place.in + "/" + kLabelFile;
  if (const auto text = read_file_at(directory, kLabelFile, 100)) {
    std::string id(text_of(*text));
    while (id.ends_with('\n') || id.ends_with('\r')) id.pop_back();
    if (is_label(id)) return Medium{id, writable};
    return hold(path + " is damaged", "remove it: the medium gets a new identity");
  }
  struct stat status {};
  if (::fstatat(directory.get(), kLabelFile, &status, AT_SYMLINK_NOFOLLOW) == 0) {
    return retry("cannot read " + path);
  }
  if (errno != ENOENT) return unless_absent("examining", path, errno);
  if (!writable) return read_only_medium(place.in);
  if (label == nullptr) return Medium{"", true};
  const auto id = to_hex(label->bytes(kLabelOctets));
  const auto written = write_file(path, view_of(id + "\n"), 0644, IfExists::fail);
  if (written) return Medium{id, true};
  if (::faccessat(AT_FDCWD, place.in.c_str(), F_OK, 0) != 0 && is_absence(errno)) {
    return std::nullopt;
  }
  return failure(written.error());
}

}  // namespace cmpost
