#include "app/fleet/batch_source.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "archive/zip_file.h"
#include "base/files.h"

namespace cmpost {
namespace {

constexpr const char* kSmaller = "make several batches of it";

Error too_many(const SourceLimits& limits) {
  return {Recovery::hold, "there are more than " + std::to_string(limits.files) + " files",
          kSmaller};
}

Result<std::vector<std::string>> visible_names(const std::string& path,
                                               const SourceLimits& limits) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
  if (!directory) return failure(errno_error("opening directory", path, errno));
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const auto* entry = ::readdir(directory.get());
    if (entry == nullptr) break;
    const std::string name = entry->d_name;
    if (name.starts_with('.')) continue;
    if (names.size() == limits.files) return failure(too_many(limits));
    names.push_back(name);
  }
  if (errno != 0) return failure(errno_error("reading directory", path, errno));
  std::ranges::sort(names);
  return names;
}

// The plain files of a directory, without those in it.
class DirectorySource final : public BatchSource {
 public:
  DirectorySource(std::string path, SourceLimits limits)
      : path_(std::move(path)), limits_(std::move(limits)) {}

  Result<void> for_each(const Visit& visit) override {
    ASSIGN_OR_RETURN(const auto directory, open_directory(path_));
    ASSIGN_OR_RETURN(const auto names, visible_names(path_, limits_));
    std::size_t total = 0;
    for (const auto& name : names) {
      if (is_list(directory, name)) continue;
      auto contents = read_file_at(directory, name, limits_.file);
      if (contents) total += contents->size();
      if (total > limits_.total) {
        return hold("the files of " + path_ + " have more than " + std::to_string(limits_.total) +
                        " octets",
                    kSmaller);
      }
      TRY(visit(name, std::move(contents)));
    }
    return {};
  }

 private:
  bool is_list(const FileDescriptor& directory, const std::string& name) const {
    struct stat a {
    }, b{};
    return !limits_.list.empty() && ::stat(limits_.list.c_str(), &a) == 0 &&
           ::fstatat(directory.get(), name.c_str(), &b, AT_SYMLINK_NOFOLLOW) == 0 &&
           a.st_dev == b.st_dev && a.st_ino == b.st_ino;
  }

  const std::string path_;
  const SourceLimits limits_;
};

class ZipSource final : public BatchSource {
 public:
  explicit ZipSource(ZipFile zip) : zip_(std::move(zip)) {}
  Result<void> for_each(const Visit& visit) override { return zip_.for_each(visit); }

 private:
  const ZipFile zip_;
};

Result<std::unique_ptr<BatchSource>> open_zip(const std::string& path, const SourceLimits& limits) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return failure(errno_error("opening", path, errno));
  const ZipLimits of_zip{.members = limits.files, .member = limits.file, .total = limits.total};
  ASSIGN_OR_RETURN(auto zip, ZipFile::open(std::move(file), path, of_zip));
  return std::make_unique<ZipSource>(std::move(zip));
}

}  // namespace

Result<std::unique_ptr<BatchSource>> open_batch_source(const std::string& path,
                                                       const SourceLimits& limits) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return failure(errno_error("opening", path, errno));
  }
  if (S_ISDIR(status.st_mode)) return std::make_unique<DirectorySource>(path, limits);
  return open_zip(path, limits);
}

}  // namespace cmpost
