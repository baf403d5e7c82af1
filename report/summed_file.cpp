#include "report/summed_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace cmpost {
namespace {

constexpr std::size_t kPart = 65536;

}  // namespace

SummedFile::SummedFile(FileDescriptor file, std::string name)
    : file_(std::move(file)), name_(std::move(name)) {}

Result<SummedFile> SummedFile::create(const FileDescriptor& directory, std::string name) {
  FileDescriptor file(::openat(directory.get(), name.c_str(),
                               O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!file) return failure(errno_error("creating", name, errno));
  return SummedFile(std::move(file), std::move(name));
}

Result<void> SummedFile::add(std::string_view text) {
  sum_.add(view_of(text));
  waiting_ += text;
  return waiting_.size() < kPart ? Result<void>{} : write_out();
}

Result<void> SummedFile::write_out() {
  std::string_view left = waiting_;
  while (!left.empty()) {
    const auto put = ::write(file_.get(), left.data(), left.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return failure(errno_error("writing", name_, errno));
    left.remove_prefix(static_cast<std::size_t>(put));
  }
  waiting_.clear();
  return {};
}

Result<std::string> SummedFile::finish() {
  TRY(write_out());
  TRY(sync(file_, name_));
  TRY(file_.close(name_));
  return to_hex(sum_.finish());
}

Result<std::string> sum_of_file(const FileDescriptor& directory, const std::string& name) {
  const FileDescriptor file(::openat(directory.get(), name.c_str(),
                                     O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  if (!file) return failure(errno_error("opening", name, errno));
  ASSIGN_OR_RETURN(const auto identity, identify(file, name));
  if (!S_ISREG(identity.mode)) return hold(name + " is not a regular file");
  RunningSha256 sum;
  Bytes part(kPart);
  while (true) {
    const auto got = ::read(file.get(), part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure(errno_error("reading", name, errno));
    if (got == 0) return to_hex(sum.finish());
    sum.add(ByteView(part).first(static_cast<std::size_t>(got)));
  }
}

}  // namespace cmpost
