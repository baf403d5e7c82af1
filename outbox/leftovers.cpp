#include "outbox/leftovers.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
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

std::optional<JobId> job_of_part(std::string_view name) {
  if (!name.starts_with('.') || !name.ends_with(kEnding)) return std::nullopt;
  name.remove_suffix(kEnding.size());
  if (name.size() < kIdDigits + 3 || name[name.size() - kIdDigits - 1] != '.') return std::nullopt;
  return JobId::from_text(name.substr(name.size() - kIdDigits));
}

bool is_leftover(const JobId& part, std::span<const Lease> leases, const UnderWay& under_way) {
  const bool ours = std::any_of(leases.begin(), leases.end(),
                                [&](const Lease& lease) { return lease.job.id == part; });
  return ours || !under_way || !under_way(part);
}

UnderWay under_way_in(JobQueue& replies) {
  return [&replies](const JobId& id) {
    const auto job = replies.find(id);
    return !job || (*job && (*job)->state == JobState::active);
  };
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

std::size_t remove_leftover_parts(const FileDescriptor& directory, std::span<const Lease> leases,
                                  const UnderWay& under_way) {
  const auto stream = open_stream(directory);
  if (!stream) return 0;
  std::size_t removed = 0;
  while (const auto* entry = ::readdir(stream.get())) {
    const auto part = job_of_part(entry->d_name);
    if (!part || !is_leftover(*part, leases, under_way)) continue;
    if (::unlinkat(directory.get(), entry->d_name, 0) == 0) ++removed;
  }
  return removed;
}

}  // namespace cmpost
