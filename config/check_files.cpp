#include <fcntl.h>
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
  bool of_directory = false;  // that the file is in, not of the file
};
using Found = std::optional<Finding>;

// As who works here, which a program that was started by another account is not.
bool may_access(const std::string& path, int mode) {
  return ::faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) == 0;
}

Found not_accessible(const std::string& path, int error_number) {
  const auto error = errno_error("using", path, error_number);
  return Finding{error.what, error.hint};
}

Found check_readable(const std::string& path, const struct stat& status) {
  if (!S_ISREG(status.st_mode)) return Finding{path + " is not a file", ""};
  if (!may_access(path, R_OK)) return not_accessible(path, errno);
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
  if (!may_access(path, R_OK | W_OK | X_OK)) return not_accessible(path, errno);
  return std::nullopt;
}

Found check_program(const std::string& path, const struct stat& status) {
  if (!S_ISREG(status.st_mode)) return Finding{path + " is not a file", ""};
  if (!may_access(path, X_OK)) return Finding{path + " cannot be executed", "chmod +x " + path};
  if ((status.st_mode & 022U) == 0) return std::nullopt;
  return Finding{path + " may be changed by others", "chmod go-w " + path};
}

Found check_named(const NamedFile& file) {
  using Use = NamedFile::Use;
  struct stat status {};
  if (::stat(file.path.c_str(), &status) != 0) {
    if (errno != ENOENT) return not_accessible(file.path, errno);
    if (file.use == Use::made || file.use == Use::removable) return std::nullopt;
    const bool directory = file.use == Use::directory || file.use == Use::exchanged;
    return Finding{file.path + " does not exist", directory ? "mkdir -p " + file.path : ""};
  }
  if (file.use == Use::secret) return check_secret(file.path, status);
  if (file.use == Use::program) return check_program(file.path, status);
  return file.use == Use::readable ? check_readable(file.path, status)
                                   : check_directory(file.path, status);
}

// It is made in its directory when it is missing, and read where it is there.
Found check_written(const NamedFile& file) {
  auto found = check_named({std::filesystem::path(file.path).parent_path().string(),
                            NamedFile::Use::directory, file.key, file.at});
  if (found) {
    found->of_directory = true;
    return found;
  }
  struct stat status {};
  if (::stat(file.path.c_str(), &status) == 0) return check_readable(file.path, status);
  return errno == ENOENT ? std::nullopt : not_accessible(file.path, errno);
}

Found check(const NamedFile& file) {
  const bool written =
      file.use == NamedFile::Use::writable_file || file.use == NamedFile::Use::published;
  return written ? check_written(file) : check_named(file);
}

// Who opens the file fails for the same reason: it cannot be read, or nobody gets at it.
bool is_why_it_does_not_open(const NamedFile& file, const Finding& finding) {
  struct stat status {};
  if (finding.of_directory) return ::stat(file.path.c_str(), &status) != 0;
  return !may_access(file.path, R_OK);
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
      const bool unopened = is_why_it_does_not_open(file, *found);
      complaints.push_back({settings.file, file.at, file.key + ": " + found->message, found->hint,
                            unopened ? file.path : ""});
    }
  }
  check_aliases(settings, complaints);
  check_staging(settings, complaints);
  return complaints;
}

}  // namespace cmpost
