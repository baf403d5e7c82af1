#include "outbox/leftovers.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <memory>

namespace cmpost {
namespace {

constexpr std::string_view kEnding = ".part";
constexpr std::size_t kIdDigits = 32;

using DirectoryStream = std::unique_ptr<DIR, int (*)(DIR*)>;

DirectoryStream open_stream(const FileDescriptor& directory) {
  const int own = ::openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DirectoryStream stream(own < 0 ? nullptr : ::fdopendir(own), ::closedir);
  if (!stream && own >= 0) ::close(own);
  return stream;
}

}  // namespace

std::string part_name(const std::string& name, const JobId& id) {
  return "." + name + "." + id.text() + std::string(kEnding);
}

bool is_part_name(std::string_view name) {
  if (!name.starts_with('.') || !name.ends_with(kEnding)) return false;
  name.remove_suffix(kEnding.size());
  if (name.size() < kIdDigits + 3 || name[name.size() - kIdDigits - 1] != '.') return false;
  return JobId::from_text(name.substr(name.size() - kIdDigits)).has_value();
}

std::size_t count_visible_files(const FileDescriptor& directory, std::size_t most) {
  const auto stream = open_stream(directory);
  std::size_t count = 0;
  while (stream && count < most) {
    const auto* entry = ::readdir(stream.get());
    if (entry == nullptr) break;
    if (entry->d_name[0] != '.') ++count;
  }
  return count;
}

std::size_t remove_leftover_parts(const FileDescriptor& directory) {
  const auto stream = open_stream(directory);
  if (!stream) return 0;
  std::size_t removed = 0;
  while (const auto* entry = ::readdir(stream.get())) {
    if (!is_part_name(entry->d_name)) continue;
    if (::unlinkat(directory.get(), entry->d_name, 0) == 0) ++removed;
  }
  return removed;
}

}  // namespace cmpost
