#include "outbox/unanswered.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <limits>
#include <vector>

#include "base/files.h"

namespace cmpost {

namespace {

constexpr std::string_view kAsked = "asked ";
constexpr std::size_t kLargestSign = 64;

// Of one whose number cannot be read nobody knows that it was released.
int releases_in(std::string_view text) {
  int releases = std::numeric_limits<int>::max();
  if (!text.starts_with(kAsked)) return releases;
  text.remove_prefix(kAsked.size());
  std::from_chars(text.data(), text.data() + text.size(), releases);
  return releases;
}

}  // namespace

// The file of a message that a person was asked about is not empty.
Result<void> Unanswered::ask(const Lease& lease) {
  const auto text = std::string(kAsked) + std::to_string(lease.releases) + "\n";
  if (!made_) TRY(make_directories(directory_));
  return write_file(file_of(lease.job.id), view_of(text), 0640, IfExists::replace);
}

Result<void> Unanswered::add(const JobId& id) {
  if (!made_) TRY(make_directories(directory_));
  auto added = write_file(file_of(id), {}, 0640, IfExists::replace);
  made_ = added.has_value();
  return added;
}

Result<void> Unanswered::remove(const JobId& id) {
  const auto file = file_of(id);
  if (::unlink(file.c_str()) == 0) return sync_directory(directory_);
  if (errno == ENOENT) return {};
  return failure(errno_error("removing", file, errno));
}

Result<Unanswered::Sign> Unanswered::find(const JobId& id) const {
  const auto file = file_of(id);
  using What = Sign::What;
  struct stat found {};
  if (::lstat(file.c_str(), &found) != 0) {
    if (errno == ENOENT) return Sign{};
    return failure(errno_error("looking for", file, errno));
  }
  if (found.st_size == 0) return Sign{What::perhaps_sent};
  ASSIGN_OR_RETURN(const auto contents, read_file(file, kLargestSign));
  return Sign{What::asked, releases_in(text_of(contents))};
}

Result<void> Unanswered::tidy(const std::function<Result<bool>(const JobId&)>& over) {
  std::vector<JobId> all;
  std::error_code error;
  for (std::filesystem::directory_iterator at(directory_, error), end; !error && at != end;
       at.increment(error)) {
    if (const auto id = JobId::from_text(at->path().filename().string())) all.push_back(*id);
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return failure(errno_error("listing", directory_, error.value()));
  }
  for (const auto& id : all) {
    ASSIGN_OR_RETURN(const bool gone, over(id));
    if (gone) TRY(remove(id));
  }
  return {};
}

}  // namespace cmpost
