#include "trace.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <mutex>
#include <string>

namespace faults {
namespace {

int open_trace() {
  const auto* file = std::getenv("CMPOST_FAULT_TRACE");
  if (file == nullptr) return -1;
  return static_cast<int>(
      syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
}

int trace() {
  static const int file = open_trace();
  return file;
}

std::mutex& order() {
  static std::mutex mutex;
  return mutex;
}

void add(std::string& record, std::string_view word) {
  record += std::to_string(word.size());
  record += ':';
  record += word;
  record += ',';
}

}  // namespace

bool is_tracing() { return trace() >= 0; }

Traced::Traced() {
  if (is_tracing()) order().lock();
}

Traced::~Traced() {
  if (is_tracing()) order().unlock();
}

void Traced::note(std::string_view what, std::string_view first, std::string_view second,
                  std::string_view third) const {
  if (!is_tracing()) return;
  std::string record;
  for (const auto word : {what, first, second, third}) add(record, word);
  // One write(2) with O_APPEND: whole, also beside other processes.
  syscall(SYS_write, trace(), record.data(), record.size());
}

}  // namespace faults
