#include "base/presence.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

namespace cmpost {
namespace {

Result<bool> is_there(int directory, const std::string& name) {
  struct stat status {};
  if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return true;
  if (errno == ENOENT) return false;
  return failure(errno_error("examining", name, errno));
}

// A file that went between the look and the reading is none, so the look comes last.
Result<std::optional<Bytes>> unless_missing(Result<Bytes> contents, int directory,
                                            const std::string& name) {
  if (contents) return std::optional(std::move(*contents));
  ASSIGN_OR_RETURN(const bool there, is_there(directory, name));
  if (!there) return std::nullopt;
  return failure(std::move(contents).error());
}

}  // namespace

Result<bool> is_there(const std::string& path) { return is_there(AT_FDCWD, path); }
Result<bool> is_there(const FileDescriptor& directory, const std::string& name) {
  return is_there(directory.get(), name);
}

Result<std::optional<Bytes>> read_if_there(const std::string& path, std::size_t limit) {
  return unless_missing(read_file(path, limit), AT_FDCWD, path);
}

Result<std::optional<Bytes>> read_if_there(const FileDescriptor& directory, const std::string& name,
                                           std::size_t limit) {
  return unless_missing(read_file_at(directory, name, limit), directory.get(), name);
}

Result<std::vector<std::string>> names_if_there(const std::string& path) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator at(path, error), end; !error && at != end;
       at.increment(error)) {
    names.push_back(at->path().filename().string());
  }
  if (!error) return names;
  if (error.value() == ENOENT) return std::vector<std::string>();
  return failure(errno_error("listing", path, error.value()));
}

}  // namespace cmpost
