#include "outbox/unanswered.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <vector>

#include "base/files.h"

namespace cmpost {

// The file of a message that a person was asked about is not empty.
Result<void> Unanswered::ask(const JobId& id) {
  return write_file(file_of(id), view_of("asked\n"), 0640, IfExists::replace);
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
  struct stat found {};
  if (::lstat(file.c_str(), &found) == 0) {
    return found.st_size > 0 ? Sign::asked : Sign::perhaps_sent;
  }
  if (errno == ENOENT) return Sign::none;
  return failure(errno_error("looking for", file, errno));
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
