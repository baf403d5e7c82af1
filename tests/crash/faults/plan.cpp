#include "plan.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>

namespace faults {
namespace {

constexpr std::array<std::string_view, kCalls> kNames = {
    "open",   "read",   "pread", "write",     "pwrite", "fsync", "fdatasync",
    "rename", "unlink", "link",  "ftruncate", "fstat",  "mkdir"};

struct Errno {
  std::string_view name;
  int value;
};
constexpr std::array<Errno, 9> kErrors = {{{"EIO", EIO},
                                           {"ENOSPC", ENOSPC},
                                           {"EROFS", EROFS},
                                           {"EACCES", EACCES},
                                           {"EMFILE", EMFILE},
                                           {"EINTR", EINTR},
                                           {"EDQUOT", EDQUOT},
                                           {"ENOENT", ENOENT},
                                           {"ESTALE", ESTALE}}};

using Counters = std::array<std::atomic<std::uint64_t>, kCalls>;

struct Plan {
  std::string under;
  std::optional<Call> call;
  std::uint64_t first = 0, last = 0;
  Verdict verdict;
  Counters* seen = nullptr;
};

[[noreturn]] void refuse(const char* why) {
  std::fprintf(stderr, "faults: %s\n", why);
  _exit(99);
}

std::string_view next_word(std::string_view& text) {
  const auto end = text.find(':');
  const auto word = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return word;
}

std::uint64_t number(std::string_view word) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc{} || end != word.data() + word.size()) refuse("not a number");
  return value;
}

Verdict verdict_of(std::string_view word) {
  using enum Verdict::Kind;
  if (word == "short") return {shorten};
  if (word == "die-before") return {die_before};
  if (word == "die-after") return {die_after};
  for (const auto& error : kErrors) {
    if (error.name == word) return {fail, error.value};
  }
  refuse("CMPOST_FAULT names no known fault");
}

void read_fault(Plan& plan, std::string_view text) {
  const auto call = next_word(text);
  for (std::size_t index = 0; index < kCalls; ++index) {
    if (kNames.at(index) == call) plan.call = static_cast<Call>(index);
  }
  if (!plan.call) refuse("CMPOST_FAULT names no known call");
  plan.first = plan.last = number(next_word(text));
  plan.verdict = verdict_of(next_word(text));
  if (text == "*") {
    plan.last = UINT64_MAX;
  } else if (!text.empty()) {
    plan.last = plan.first + number(text) - 1;
  }
}

// Shared with whoever started the program, so that they outlive a SIGKILL.
Counters* map_counters(const char* file) {
  const auto fd = static_cast<int>(syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CREAT, 0600));
  if (fd < 0 || syscall(SYS_ftruncate, fd, sizeof(Counters)) != 0) refuse("no counters");
  void* memory = mmap(nullptr, sizeof(Counters), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) refuse("no counters");
  syscall(SYS_close, fd);
  return static_cast<Counters*>(memory);
}

Plan read_plan() {
  static Counters own;
  Plan plan;
  plan.seen = &own;
  if (const auto* under = std::getenv("CMPOST_FAULT_UNDER")) plan.under = under;
  if (const auto* fault = std::getenv("CMPOST_FAULT")) read_fault(plan, fault);
  if (const auto* file = std::getenv("CMPOST_FAULT_COUNTS")) plan.seen = map_counters(file);
  return plan;
}

const Plan& plan() {
  static const Plan the_plan = read_plan();
  return the_plan;
}

}  // namespace

std::string_view name(Call call) { return kNames.at(static_cast<std::size_t>(call)); }

Verdict judge(Call call) {
  const auto& all = plan();
  const auto number = ++all.seen->at(static_cast<std::size_t>(call));
  const bool hit = all.call == call && number >= all.first && number <= all.last;
  return hit ? all.verdict : Verdict{};
}

bool is_watched(std::string_view path) {
  const auto& under = plan().under;
  return !under.empty() && path.starts_with(under) &&
         (path.size() == under.size() || path[under.size()] == '/');
}

void die() {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

}  // namespace faults
