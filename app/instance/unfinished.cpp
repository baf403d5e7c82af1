#include "app/instance/unfinished.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "base/crash_point.h"

namespace cmpost {

namespace fs = std::filesystem;

namespace {

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory, ignored)) {
    names.push_back(entry.path().filename().string());
  }
  return names;
}

// What write_file() leaves of a mark when it is killed.
bool is_half_a_mark(const std::string& name) {
  return name.starts_with("." + std::string(UnfinishedDirectory::kMark) + ".") &&
         name.ends_with(".part");
}

// Of those that make_directories() is about to make.
std::vector<std::string> missing_parts(const std::string& path) {
  std::vector<std::string> missing;
  std::error_code ignored;
  for (auto part = fs::absolute(path).lexically_normal(); !exists(part);
       part = part.parent_path()) {
    if (part.filename().empty()) continue;  // behind the last slash
    missing.insert(missing.begin(), part.string());
  }
  return missing;
}

}  // namespace

UnfinishedDirectory::UnfinishedDirectory(std::string path, std::vector<std::string> made)
    : path_(std::move(path)), made_(std::move(made)) {}

UnfinishedDirectory::~UnfinishedDirectory() {
  if (begun_) remove_all();
  lock_ = {};
  std::error_code ignored;
  std::ranges::reverse(parents_);
  for (const auto& parent : parents_) fs::remove(parent, ignored);  // not what is in use by others
}

bool UnfinishedDirectory::is_ours(const std::string& name) const {
  return std::ranges::any_of(made_, [&](const std::string& one) {
    return name == one || name.starts_with(one + "-") || name.starts_with(one + ".owner-");
  });
}

// The mark last: as long as something is left the next one can go on.
void UnfinishedDirectory::remove_all() const {
  std::error_code ignored;
  for (const auto& name : names_in(path_)) {
    if (is_ours(name)) fs::remove_all(path_below(path_, name), ignored);
  }
  fs::remove(mark(), ignored);
}

// The lock of a mark that is still there: whoever was faster may have finished, and the file that
// was opened has its last name by now.
bool UnfinishedDirectory::lock_mark() {
  lock_ = FileDescriptor(::open(mark().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat held {
  }, there{};
  return lock_ && ::flock(lock_.get(), LOCK_EX | LOCK_NB) == 0 &&
         ::fstat(lock_.get(), &held) == 0 && ::lstat(mark().c_str(), &there) == 0 &&
         held.st_dev == there.st_dev && held.st_ino == there.st_ino;
}

Result<void> UnfinishedDirectory::clear_leftovers() {
  if (!exists(mark())) return {};
  if (!lock_mark()) {
    return hold("another `cmpost init` is at work in " + path_, "wait for its end");
  }
  remove_all();
  return {};
}

Result<void> UnfinishedDirectory::begin(std::string_view mark_contents) {
  parents_ = missing_parts(path_);
  if (parents_.empty()) {
    TRY(clear_leftovers());
    if (!std::ranges::all_of(names_in(path_), is_half_a_mark)) {
      return hold(path_ + " is not empty", "name a new directory");
    }
  }
  TRY(make_directories(path_));
  TRY(write_file(mark(), view_of(mark_contents), 0644, IfExists::fail));
  if (!lock_mark()) {
    return hold("another `cmpost init` is at work in " + path_, "wait for its end");
  }
  begun_ = true;
  std::error_code ignored;
  for (const auto& name : names_in(path_)) {
    if (is_half_a_mark(name)) fs::remove(path_below(path_, name), ignored);
  }
  crash_point("init.begun");
  return {};
}

Result<void> UnfinishedDirectory::finish(const std::string& name) {
  crash_point("init.finishing");
  std::error_code error;
  const auto place = fs::canonical(path_, error);  // it may be reached by a symbolic link
  if (error) return failure(errno_error("examining", path_, error.value()));
  ASSIGN_OR_RETURN(const auto directory, open_directory(place.string()));
  TRY(rename_no_replace(directory, kMark, directory, name));
  begun_ = false;
  parents_.clear();
  return sync(directory, path_);
}

}  // namespace cmpost
