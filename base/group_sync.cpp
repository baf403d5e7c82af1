#include "base/group_sync.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "base/start_thread.h"

namespace cmpost {
namespace {

constexpr std::size_t kThreads = 4;
constexpr std::size_t kFilesPerThread = 16;  // fewer are not worth a thread

}  // namespace

void start_writeback(const FileDescriptor& file) {
  ::sync_file_range(file.get(), 0, 0, SYNC_FILE_RANGE_WRITE);  // a hint: failing is harmless
}

void forget_cached(const FileDescriptor& directory, const std::string& name) {
  const FileDescriptor file(
      ::openat(directory.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (file) ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED);
}

std::vector<int> sync_group(const std::vector<int>& files) {
  std::vector<int> errors(files.size(), 0);
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (auto i = next++; i < files.size(); i = next++) {
      if (::fsync(files[i]) != 0) errors[i] = errno;
    }
  };
  const auto helpers = std::min(kThreads - 1, files.size() / kFilesPerThread);
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < helpers; ++i) {
    auto helper = start_thread(work);
    if (!helper) break;  // with fewer it takes longer, that is all
    threads.push_back(*std::move(helper));
  }
  work();
  threads.clear();  // joins
  return errors;
}

}  // namespace cmpost
