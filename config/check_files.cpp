#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <optional>

#include "config/settings.h"

namespace cmpost {
namespace {

struct Finding {
  std::string message;
  std::string hint;
};
using Found = std::optional<Finding>;

Found not_accessible(const std::string& path, int error_number) {
  const auto error = errno_error("using", path, error_number);
  return Finding{error.what, error.hint};
}

Found check_readable(const std::string& path, const struct stat& status) {
  if (!S_ISREG(status.st_mode)) return Finding{path + " is not a file", ""};
  if (::access(path.c_str(), R_OK) != 0) return not_accessible(path, errno);
  return std::nullopt;
}

bool is_open_to_others(const struct stat& status) {
  return (status.st_mode & 077U) != 0 && S_ISREG(status.st_mode);
}

Finding open_to_others(const std::string& path) {
  return {path + " may be read or written by others", "chmod 600 " + path};
}

Found check_secret(const std::string& path, const struct stat& status) {
  if (is_open_to_others(status)) return open_to_others(path);
  return check_readable(path, status);
}

Found check_directory(const std::string& path, const struct stat& status) {
  if (!S_ISDIR(status.st_mode)) return Finding{path + " is not a directory", ""};
  if (::access(path.c_str(), R_OK | W_OK | X_OK) != 0) return not_accessible(path, errno);
  return std::nullopt;
}

Found check(const NamedFile& file) {
  // A file that is yet to be written needs its directory.
  const bool target =
      file.use == NamedFile::Use::writable_file || file.use == NamedFile::Use::published;
  const auto path = target ? std::filesystem::path(file.path).parent_path().string() : file.path;
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    const int error_number = errno;
    if (error_number != ENOENT) return not_accessible(path, error_number);
    if (file.use == NamedFile::Use::made || file.use == NamedFile::Use::removable) {
      return std::nullopt;
    }
    const bool directory =
        target || file.use == NamedFile::Use::directory || file.use == NamedFile::Use::exchanged;
    return Finding{path + " does not exist", directory ? "mkdir -p " + path : ""};
  }
  switch (file.use) {
    case NamedFile::Use::secret:
      return check_secret(path, status);
    case NamedFile::Use::readable:
      return check_readable(path, status);
    case NamedFile::Use::directory:
    case NamedFile::Use::exchanged:
    case NamedFile::Use::made:
    case NamedFile::Use::removable:
    case NamedFile::Use::writable_file:
    case NamedFile::Use::published:
      return check_directory(path, status);
  }
  return std::nullopt;
}

// A rename does not reach another file system.
void check_staging(const Settings& settings, Complaints& complaints) {
  for (const auto& channel : settings.channels) {
    if (channel.directory() == nullptr) continue;
    const auto& directory = *channel.directory();
    struct stat staging {
    }, out{};
    if (directory.staging.empty() || ::stat(directory.staging.c_str(), &staging) != 0 ||
        ::stat(directory.out.c_str(), &out) != 0 || staging.st_dev == out.st_dev) {
      continue;
    }
    const auto file = std::find_if(settings.files.begin(), settings.files.end(),
                                   [&](const auto& f) { return f.path == directory.staging; });
    complaints.push_back(
        {settings.file, file == settings.files.end() ? Position{} : file->at,
         "staging of channel '" + channel.name + "' is not on the file system of " + directory.out,
         "choose a directory beside it"});
  }
}

// One directory by two names (a symbolic link, a bind mount): the names differ, the inode does not.
void check_aliases(const Settings& settings, Complaints& complaints) {
  std::map<std::pair<dev_t, ino_t>, const NamedFile*> seen;
  for (const auto& file : settings.files) {
    struct stat status {};
    if (file.use != NamedFile::Use::exchanged || ::stat(file.path.c_str(), &status) != 0) continue;
    const auto [other, fresh] = seen.emplace(std::pair(status.st_dev, status.st_ino), &file);
    if (fresh) continue;
    complaints.push_back({settings.file, file.at,
                          file.path + " is the same directory as " + other->second->path,
                          "each channel needs directories of its own"});
  }
}

}  // namespace

Complaints check_secrets(const Settings& settings) {
  Complaints complaints;
  for (const auto& file : settings.files) {
    struct stat status {};
    if (file.use != NamedFile::Use::secret || ::stat(file.path.c_str(), &status) != 0) continue;
    if (!is_open_to_others(status)) continue;
    const auto found = open_to_others(file.path);
    complaints.push_back({settings.file, file.at, file.key + ": " + found.message, found.hint});
  }
  return complaints;
}

Complaints check_files(const Settings& settings) {
  Complaints complaints;
  for (const auto& file : settings.files) {
    if (auto found = check(file)) {
      const bool opens = ::access(file.path.c_str(), R_OK) == 0;
      complaints.push_back({settings.file, file.at, file.key + ": " + found->message, found->hint,
                            opens ? "" : file.path});
    }
  }
  check_aliases(settings, complaints);
  check_staging(settings, complaints);
  return complaints;
}

}  // namespace cmpost
