#include "app/instance/new_directory.h"

#include <sys/stat.h>

#include <filesystem>

#include "base/crash_point.h"
#include "base/files.h"

namespace cmpost {

namespace fs = std::filesystem;

std::string hidden_name(const std::string& directory) {
  return fs::path(directory).replace_filename("." + fs::path(directory).filename().string() +
                                              ".part");
}

NewDirectory::NewDirectory(std::string path)
    : path_(std::move(path)), hidden_(hidden_name(path_)) {}

NewDirectory::~NewDirectory() {
  std::error_code ignored;
  if (begun_ && !kept_) fs::remove_all(hidden_, ignored);
}

Result<void> NewDirectory::clear() {
  std::error_code error;
  fs::remove_all(hidden_, error);
  if (error) return failure(errno_error("removing", hidden_, error.value()));
  return {};
}

Result<void> NewDirectory::begin() {
  TRY(make_directories(fs::path(hidden_).parent_path().string()));
  // Not make_directories(): who has made it before may be at work in it.
  if (::mkdir(hidden_.c_str(), 0700) != 0) {
    return failure(errno_error("making directory", hidden_, errno));
  }
  begun_ = true;
  return sync_directory(fs::path(hidden_).parent_path().string());
}

Result<void> NewDirectory::write(const std::string& name, std::string_view contents, mode_t mode) {
  TRY(write_file(path_below(hidden_, name), view_of(contents), mode, IfExists::fail));
  crash_point("directory.written");
  return {};
}

Result<void> NewDirectory::publish() {
  std::error_code error;
  TRY(sync_directory(hidden_));
  fs::rename(hidden_, path_, error);
  if (error) return failure(errno_error("renaming", hidden_, error.value()));
  begun_ = false;
  crash_point("directory.published");
  return sync_directory(fs::path(path_).parent_path().string());
}

}  // namespace cmpost
