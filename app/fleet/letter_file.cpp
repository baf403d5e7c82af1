#include "app/fleet/letter_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/crash_point.h"

namespace cmpost {
namespace {

constexpr mode_t kOwnerOnly = 0600;

std::string parent_of(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

std::string link_of(const FileDescriptor& file) {
  return "/proc/self/fd/" + std::to_string(file.get());
}

// None where it could not get a name afterwards.
FileDescriptor nameless_in(const std::string& directory) {
  FileDescriptor file(::open(directory.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, kOwnerOnly));
  if (file && ::access(link_of(file).c_str(), F_OK) != 0) return {};
  return file;
}

Result<void> write_all(const FileDescriptor& file, const std::string& path, ByteView contents) {
  while (!contents.empty()) {
    const auto written = ::write(file.get(), contents.data(), contents.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failure(errno_error("writing", path, errno));
    contents = contents.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

Result<LetterFile> LetterFile::write(const std::string& path, ByteView contents) {
  const auto parent = parent_of(path);
  auto file = nameless_in(parent);
  if (file) {
    TRY(write_all(file, path, contents));
    TRY(sync(file, path));
    crash_point("file.written");
    return LetterFile(path, std::move(file), {});
  }
  const auto name = "." + std::filesystem::path(path).filename().string() + ".part";
  auto draft = (std::filesystem::path(path).parent_path() / name).string();
  TRY(write_file(draft, contents, kOwnerOnly, IfExists::replace));
  return LetterFile(path, {}, std::move(draft));
}

Result<void> LetterFile::put_in_place() {
  if (path_.empty()) return {};
  const auto parent = parent_of(path_);
  if (file_) {
    if (::linkat(AT_FDCWD, link_of(file_).c_str(), AT_FDCWD, path_.c_str(), AT_SYMLINK_FOLLOW) !=
        0) {
      return failure(errno_error("naming", path_, errno));
    }
    crash_point("file.linked");
  } else {
    ASSIGN_OR_RETURN(const auto directory, open_directory(parent));
    TRY(rename_no_replace(directory, std::filesystem::path(draft_).filename().string(), directory,
                          std::filesystem::path(path_).filename().string()));
  }
  path_.clear();
  return sync_directory(parent);
}

void LetterFile::drop() {
  if (!draft_.empty()) ::unlink(draft_.c_str());
  file_ = {};
  path_.clear();
}

}  // namespace cmpost
