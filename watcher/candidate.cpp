#include "watcher/candidate.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace cmpost {
namespace {

Finding bad(std::string reason, std::string hint = {}) {
  return {Finding::What::bad_now, {}, std::move(reason), std::move(hint)};
}
Finding again(std::string reason) { return {Finding::What::retry, {}, std::move(reason), {}}; }

std::string_view kind_of(unsigned type) {
  switch (type) {
    case S_IFDIR:
      return "a directory";
    case S_IFLNK:
      return "a symbolic link";
    case S_IFIFO:
      return "a FIFO";
    case S_IFSOCK:
      return "a socket";
    default:
      return "a device";
  }
}

Finding cannot_open(const std::string& name, int error_number) {
  if (error_number == ENOENT) return {};
  const auto error = errno_error("opening", printable(name), error_number);
  // Rights can be given, and a symbolic link (ELOOP) or what else has taken the file's place is
  // judged at the next look: neither says that the file is bad.
  return {Finding::What::retry, {}, error.what, error.hint};
}

// Does the open file still look as it did from outside?
bool unchanged(const FileDescriptor& file, const Look& look) {
  const auto identity = identify(file, "");
  return identity && S_ISREG(identity->mode) && identity->inode == look.inode &&
         identity->size == look.size && identity->mtime_nanos == look.mtime_nanos;
}

Result<Bytes> read_exactly(const FileDescriptor& file, std::size_t size, const std::string& name) {
  Bytes contents(size);
  std::size_t got = 0;
  while (got < size) {
    const auto count = ::read(file.get(), contents.data() + got, size - got);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failure(errno_error("reading", printable(name), errno));
    if (count == 0) return retry("the file became shorter while it was read");
    got += static_cast<std::size_t>(count);
  }
  return contents;
}

Finding judge_content(Unwrapped unwrapped) {
  if (unwrapped.what != Unwrapped::What::message) {
    auto finding = bad(std::move(unwrapped.reason), std::move(unwrapped.hint));
    finding.may_grow = unwrapped.what == Unwrapped::What::incomplete;
    return finding;
  }
  return {Finding::What::take, std::move(unwrapped.message), {}, {}};
}

}  // namespace

Finding judge(const DropDirectory& drop, DropDirectory::Place place, const std::string& name,
              const Look& look, std::size_t max_octets, const std::optional<Sha256>& sha256,
              const ReadFile& read) {
  if (!S_ISREG(look.type)) {
    return bad("it is " + std::string(kind_of(look.type)) + ", not a file");
  }
  if (look.size > max_octets) {
    return bad("the file has " + std::to_string(look.size) + " octets, more than the limit of " +
                   std::to_string(max_octets),
               "max_message of the channel is the limit");
  }
  const FileDescriptor file(::openat(drop.at(place).get(), name.c_str(),
                                     O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  if (!file) return cannot_open(name, errno);
  if (!unchanged(file, look)) return again("the file is still being written");
  auto contents = read_exactly(file, static_cast<std::size_t>(look.size), name);
  if (!contents) return again(contents.error().what);
  if (!unchanged(file, look)) return again("the file is still being written");
  if (sha256 && cmpost::sha256(*contents) != *sha256) {
    auto finding = bad("its SHA-256 is not the one that came with it", "send it again");
    finding.may_grow = true;
    return finding;
  }
  auto finding = judge_content(read(name, std::move(*contents)));
  if (sha256) finding.may_grow = false;
  return finding;
}

}  // namespace cmpost
