#include "config/check_permissions.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <set>

namespace cmpost {
namespace {

namespace fs = std::filesystem;

class Permissions {
 public:
  explicit Permissions(const Settings& settings) : settings_(settings) {}

  PermissionReport report() && {
    check_file(settings_.file, "the settings", {});
    for (const auto& file : settings_.files) check_named(file);
    check_directory(settings_.directory, "the instance", {});
    check_database(settings_.instance.spool, "instance.spool");
    check_database(settings_.instance.ledger, "instance.ledger");
    return std::move(report_);
  }

 private:
  // Requests and answers lie where others write and read, sticks belong to whoever brings them, and
  // what is published lies among other people's pages.
  static bool is_for_others(const NamedFile& file) {
    using enum NamedFile::Use;
    return file.use == published || file.use == exchanged || file.use == removable;
  }

  void check_named(const NamedFile& file) {
    if (is_for_others(file)) return;
    struct stat status {};
    if (::stat(file.path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
      check_directory(file.path, file.key, file.at);
    } else {
      check_file(file.path, file.key, file.at);
    }
  }

  void check_file(const std::string& path, const std::string& key, const Position& at) {
    judge(path, key, at, 0);
    check_directory(fs::path(path).parent_path().string(), key, at);
  }

  // Up to the instance's own; of what lies elsewhere that one directory.
  void check_directory(std::string path, const std::string& key, const Position& at) {
    const auto top = fs::path(settings_.directory).lexically_normal();
    path = fs::path(path).lexically_normal().string();
    while (!path.empty() && seen_.insert(path).second) {
      judge(path, key, at, S_ISVTX);
      const auto relative = fs::path(path).lexically_relative(top).string();
      if (relative.empty() || relative == "." || relative.starts_with("..")) return;
      path = fs::path(path).parent_path().string();
    }
  }

  // `harmless`: a bit with which it does no harm that others may write: in a directory that is
  // sticky nobody can exchange what is somebody else's.
  void judge(const std::string& path, const std::string& key, const Position& at, mode_t harmless,
             mode_t strangers = S_IWGRP | S_IWOTH) {
    struct stat status {};
    if (path.empty() || ::stat(path.c_str(), &status) != 0) return;  // check_files() says so
    if (status.st_uid != 0 && status.st_uid != ::geteuid()) {
      complain(at,
               key + ": " + path + " belongs to another account (" + std::to_string(status.st_uid) +
                   "), which can exchange it",
               "chown it to the account that cmpost runs as, or to root");
    }
    const auto others = status.st_mode & strangers;
    if (others == 0 || (status.st_mode & harmless) != 0) return;
    const auto* who = (others & S_IWOTH) != 0 ? "everybody" : "its group";
    complain(at, key + ": " + path + " may be written by " + who, "chmod go-w " + path);
  }

  // A group may share the work of a database (docs/operations.md); strangers may neither write nor
  // read it: it has names, requests and answers.
  void check_database(const std::string& url, const std::string& key) {
    constexpr std::string_view kScheme = "sqlite:";
    if (!url.starts_with(kScheme)) return;
    const auto named = fs::path(url.substr(kScheme.size()));
    const auto path = named.is_absolute() ? named : fs::path(settings_.directory) / named;
    for (const auto* ending : {"", "-wal", "-shm"}) {
      const auto file = path.string() + ending;
      struct stat status {};
      if (::stat(file.c_str(), &status) != 0) continue;
      if ((status.st_mode & S_IWOTH) != 0) {
        complain({}, key + ": " + file + " may be written by everybody", "chmod o-rwx " + file);
      } else if ((status.st_mode & S_IROTH) != 0) {
        report_.warnings.push_back(key + ": " + file +
                                   " may be read by everybody: it holds names, requests and "
                                   "answers; chmod o-r " +
                                   file);
      }
    }
    check_directory_of_databases(path.parent_path().lexically_normal(), key);
  }

  // One that has nothing else in it may be a group's, too: SQLite keeps files beside a database.
  void check_directory_of_databases(const fs::path& path, const std::string& key) {
    const auto top = fs::path(settings_.directory).lexically_normal();
    const auto relative = path.lexically_relative(top).string();
    if (relative.empty() || relative.starts_with(".") || seen_.contains(path.string())) {
      return check_directory(path.string(), key, {});
    }
    if (!shared_.insert(path.string()).second) return;
    judge(path.string(), key, {}, S_ISVTX, S_IWOTH);
    check_directory(path.parent_path().string(), key, {});
  }

  void complain(const Position& at, std::string text, std::string hint) {
    report_.complaints.push_back({settings_.file, at, std::move(text), std::move(hint)});
  }

  const Settings& settings_;
  std::set<std::string> seen_, shared_;  // directories
  PermissionReport report_;
};

}  // namespace

PermissionReport check_permissions(const Settings& settings) {
  return Permissions(settings).report();
}

}  // namespace cmpost
