// Which call of the program fails, and how. From the environment:
//
//   CMPOST_FAULT_UNDER=DIR                 counts are calls about files beneath DIR, an absolute
//   path CMPOST_FAULT=CALL:N:FAULT[:COUNT|:*]   the N-th call (and the next ones); FAULT is the
//   name of
//                                          an errno, short, die-before or die-after
//   CMPOST_FAULT_COUNTS=FILE               gets the numbers of calls, 8 octets each
//   CMPOST_FAULT_TRACE=FILE                gets every change (trace.h)
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace faults {

enum class Call : std::uint8_t {
  open,
  read,
  pread,
  write,
  pwrite,
  fsync,
  fdatasync,
  rename,
  unlink,
  link,
  ftruncate,
  fstat,
  mkdir,
  count_
};
inline constexpr std::size_t kCalls = static_cast<std::size_t>(Call::count_);
std::string_view name(Call call);

struct Verdict {
  enum class Kind : std::uint8_t { pass, fail, shorten, die_before, die_after };
  Kind kind = Kind::pass;
  int error = 0;  // errno of `fail`
};

// Counts the call and says what becomes of it. Any thread.
Verdict judge(Call call);

// Whether faults and the trace are about the file with this absolute path.
bool is_watched(std::string_view path);

[[noreturn]] void die();

}  // namespace faults
