// The functions of the C library that stand before the ones of the traced program.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdarg>
#include <optional>
#include <string>
#include <type_traits>

#include "plan.h"
#include "trace.h"

namespace {

using faults::Call;
using faults::Traced;
using faults::Verdict;

template <typename Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}
#define REAL(name) (real<decltype(name)>(#name))

// The path behind a descriptor: "" for what has none.
std::string path_of(int fd) {
  std::array<char, PATH_MAX> path{};
  const auto link = "/proc/self/fd/" + std::to_string(fd);
  const auto size = ::readlink(link.c_str(), path.data(), path.size());
  return size > 0 ? std::string(path.data(), static_cast<std::size_t>(size)) : std::string();
}

std::string path_of(int directory, const char* name) {
  if (*name == '/') return name;
  if (directory != AT_FDCWD) return path_of(directory) + "/" + name;
  std::array<char, PATH_MAX> here{};
  if (::getcwd(here.data(), here.size()) == nullptr) return name;
  const std::string tail = name;
  return std::string(here.data()) + "/" + (tail.starts_with("./") ? tail.substr(2) : tail);
}

// One call about a watched file: judged, made (or not), recorded when it succeeded.
template <typename Make, typename Note>
auto carry_out(Call call, const Make& make, const Note& note) -> decltype(make(false)) {
  const auto verdict = faults::judge(call);
  using enum Verdict::Kind;
  if (verdict.kind == die_before) faults::die();
  if (verdict.kind == fail) {
    errno = verdict.error;
    return -1;
  }
  const Traced traced;
  const auto result = make(verdict.kind == shorten);
  const int error = errno;
  if (result >= 0) note(traced, result);
  if (verdict.kind == die_after) faults::die();
  errno = error;
  return result;
}

template <typename Make, typename Note>
auto on_file(int fd, Call call, const Make& make, const Note& note) -> decltype(make(false)) {
  const auto path = path_of(fd);
  if (!faults::is_watched(path)) return make(false);
  return carry_out(call, make,
                   [&](const Traced& traced, auto result) { note(traced, path, result); });
}

constexpr auto kNothing = [](const Traced&, const auto&...) {};

std::size_t portion(std::size_t size, bool shortened) {
  return shortened && size > 1 ? size / 2 : size;
}

std::string decimal(off_t number) { return std::to_string(number); }

std::string_view octets(const void* data, ssize_t size) {
  return {static_cast<const char*>(data), static_cast<std::size_t>(size)};
}

template <typename Open>
int hooked_open(const std::string& path, int flags, const Open& open) {
  if (!faults::is_watched(path)) return open(false);
  struct stat before {};
  const bool existed = REAL(lstat)(path.c_str(), &before) == 0;
  return carry_out(Call::open, open, [&](const Traced& traced, int) {
    if (!existed && (flags & O_CREAT) != 0) traced.note("create", path);
    if (existed && (flags & O_TRUNC) != 0) traced.note("truncate", path, "0");
  });
}

mode_t mode_of(int flags, va_list arguments) {
  const bool makes = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  return makes ? static_cast<mode_t>(va_arg(arguments, int)) : mode_t{0};
}

}  // namespace

#define WITH_MODE(flags)                       \
  va_list arguments;                           \
  va_start(arguments, flags);                  \
  const auto mode = mode_of(flags, arguments); \
  va_end(arguments)

extern "C" {

int open(const char* name, int flags, ...) {
  WITH_MODE(flags);
  return hooked_open(path_of(AT_FDCWD, name), flags,
                     [&](bool) { return REAL(open)(name, flags, mode); });
}

int open64(const char* name, int flags, ...) {
  WITH_MODE(flags);
  return hooked_open(path_of(AT_FDCWD, name), flags,
                     [&](bool) { return REAL(open64)(name, flags, mode); });
}

int openat(int directory, const char* name, int flags, ...) {
  WITH_MODE(flags);
  return hooked_open(path_of(directory, name), flags,
                     [&](bool) { return REAL(openat)(directory, name, flags, mode); });
}

int openat64(int directory, const char* name, int flags, ...) {
  WITH_MODE(flags);
  return hooked_open(path_of(directory, name), flags,
                     [&](bool) { return REAL(openat64)(directory, name, flags, mode); });
}

ssize_t read(int fd, void* data, size_t size) {
  return on_file(
      fd, Call::read, [&](bool less) { return REAL(read)(fd, data, portion(size, less)); },
      kNothing);
}

ssize_t pread(int fd, void* data, size_t size, off_t offset) {
  return on_file(
      fd, Call::pread,
      [&](bool less) { return REAL(pread)(fd, data, portion(size, less), offset); }, kNothing);
}

ssize_t pread64(int fd, void* data, size_t size, off64_t offset) {
  return on_file(
      fd, Call::pread,
      [&](bool less) { return REAL(pread64)(fd, data, portion(size, less), offset); }, kNothing);
}

ssize_t write(int fd, const void* data, size_t size) {
  off_t offset = 0;
  return on_file(
      fd, Call::write,
      [&](bool less) {
        offset = ::lseek(fd, 0, (::fcntl(fd, F_GETFL) & O_APPEND) != 0 ? SEEK_END : SEEK_CUR);
        return REAL(write)(fd, data, portion(size, less));
      },
      [&](const Traced& traced, const std::string& path, ssize_t done) {
        traced.note("write", path, decimal(offset), octets(data, done));
      });
}

ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
  return on_file(
      fd, Call::pwrite,
      [&](bool less) { return REAL(pwrite)(fd, data, portion(size, less), offset); },
      [&](const Traced& traced, const std::string& path, ssize_t done) {
        traced.note("write", path, decimal(offset), octets(data, done));
      });
}

ssize_t pwrite64(int fd, const void* data, size_t size, off64_t offset) {
  return on_file(
      fd, Call::pwrite,
      [&](bool less) { return REAL(pwrite64)(fd, data, portion(size, less), offset); },
      [&](const Traced& traced, const std::string& path, ssize_t done) {
        traced.note("write", path, decimal(offset), octets(data, done));
      });
}

int fsync(int fd) {
  return on_file(
      fd, Call::fsync, [&](bool) { return REAL(fsync)(fd); },
      [](const Traced& traced, const std::string& path, int) { traced.note("sync", path); });
}

int fdatasync(int fd) {
  return on_file(
      fd, Call::fdatasync, [&](bool) { return REAL(fdatasync)(fd); },
      [](const Traced& traced, const std::string& path, int) { traced.note("sync", path); });
}

int ftruncate(int fd, off_t size) noexcept {
  return on_file(
      fd, Call::ftruncate, [&](bool) { return REAL(ftruncate)(fd, size); },
      [&](const Traced& traced, const std::string& path, int) {
        traced.note("truncate", path, decimal(size));
      });
}

int ftruncate64(int fd, off64_t size) noexcept {
  return on_file(
      fd, Call::ftruncate, [&](bool) { return REAL(ftruncate64)(fd, size); },
      [&](const Traced& traced, const std::string& path, int) {
        traced.note("truncate", path, decimal(size));
      });
}

int fstat(int fd, struct stat* status) noexcept {
  return on_file(
      fd, Call::fstat, [&](bool) { return REAL(fstat)(fd, status); }, kNothing);
}

int fstat64(int fd, struct stat64* status) noexcept {
  return on_file(
      fd, Call::fstat, [&](bool) { return REAL(fstat64)(fd, status); }, kNothing);
}

int renameat2(int from_directory, const char* from, int to_directory, const char* to,
              unsigned flags) noexcept {
  const auto old_path = path_of(from_directory, from), new_path = path_of(to_directory, to);
  const auto make = [&](bool) {
    return REAL(renameat2)(from_directory, from, to_directory, to, flags);
  };
  if (!faults::is_watched(old_path)) return make(false);
  return carry_out(Call::rename, make,
                   [&](const Traced& traced, int) { traced.note("rename", old_path, new_path); });
}

int renameat(int from_directory, const char* from, int to_directory, const char* to) noexcept {
  return renameat2(from_directory, from, to_directory, to, 0);
}

int rename(const char* from, const char* to) noexcept {
  return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlinkat(int directory, const char* name, int flags) noexcept {
  const auto path = path_of(directory, name);
  const auto make = [&](bool) { return REAL(unlinkat)(directory, name, flags); };
  if (!faults::is_watched(path)) return make(false);
  return carry_out(Call::unlink, make,
                   [&](const Traced& traced, int) { traced.note("unlink", path); });
}

int unlink(const char* name) noexcept { return unlinkat(AT_FDCWD, name, 0); }

int remove(const char* name) noexcept {
  if (unlinkat(AT_FDCWD, name, 0) == 0) return 0;
  return errno == EISDIR ? unlinkat(AT_FDCWD, name, AT_REMOVEDIR) : -1;
}

int linkat(int from_directory, const char* from, int to_directory, const char* to,
           int flags) noexcept {
  const auto old_path = path_of(from_directory, from), new_path = path_of(to_directory, to);
  const auto make = [&](bool) {
    return REAL(linkat)(from_directory, from, to_directory, to, flags);
  };
  if (!faults::is_watched(new_path)) return make(false);
  return carry_out(Call::link, make,
                   [&](const Traced& traced, int) { traced.note("link", old_path, new_path); });
}

int link(const char* from, const char* to) noexcept {
  return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int mkdirat(int directory, const char* name, mode_t mode) noexcept {
  const auto path = path_of(directory, name);
  const auto make = [&](bool) { return REAL(mkdirat)(directory, name, mode); };
  if (!faults::is_watched(path)) return make(false);
  return carry_out(Call::mkdir, make,
                   [&](const Traced& traced, int) { traced.note("mkdir", path); });
}

int mkdir(const char* name, mode_t mode) noexcept { return mkdirat(AT_FDCWD, name, mode); }

}  // extern "C"
