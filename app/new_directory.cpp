#include "app/new_directory.h"

#include <filesystem>

#include "base/crash_point.h"
#include "base/files.h"

namespace cmpost {

namespace fs = std::filesystem;

NewDirectory::NewDirectory(std::string path)
    : path_(std::move(path)),
      hidden_(
          fs::path(path_).replace_filename("." + fs::path(path_).filename().string() + ".part")) {}

NewDirectory::~NewDirectory() {
  std::error_code ignored;
  if (begun_ && !kept_) fs::remove_all(hidden_, ignored);
}

Result<void> NewDirectory::begin() {
  if (exists(path_)) return hold(path_ + " is there already", "name another one with --directory");
  std::error_code error;
  fs::remove_all(hidden_, error);
  if (error) return failure(errno_error("removing", hidden_, error.value()));
  begun_ = true;
  return make_directories(hidden_, 0700);
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

std::string NewDirectory::left_behind(const std::string& name) const {
  const auto file = path_below(hidden_, name);
  return exists(file) ? file : std::string();
}

}  // namespace cmpost
