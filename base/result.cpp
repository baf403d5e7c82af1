#include "base/result.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace cmpost {

Error Error::within(std::string_view context) && {
  return Error{recovery, std::string(context) + ": " + what, std::move(hint), blame,
               std::move(path)};
}

Error Error::of_settings() && {
  if (recovery == Recovery::hold) blame = Blame::settings;
  return std::move(*this);
}

std::string to_string(const Error& error) {
  return error.hint.empty() ? error.what : error.what + " (" + error.hint + ")";
}

namespace {

bool may_pass(int error_number) {
  switch (error_number) {
    case EAGAIN:
    case EBUSY:
    case EDQUOT:
    case EINTR:
    case EIO:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOSPC:
    case ESTALE:
    case ETIMEDOUT:
      return true;
    default:
      return false;
  }
}

std::string hint_for(int error_number) {
  switch (error_number) {
    case ENOSPC:
      return "free some space; the work goes on by itself";
    case EDQUOT:
      return "the disk quota of this user is used up";
    case EACCES:
    case EPERM:
      return "check the owner and mode of the file and of the folders above it";
    case EMFILE:
    case ENFILE:
      return "raise the limit of open files (ulimit -n)";
    default:
      return {};
  }
}

}  // namespace

Error errno_error(std::string_view doing, std::string_view path, int error_number) {
  return Error{may_pass(error_number) ? Recovery::retry : Recovery::hold,
               std::string(doing) + " " + std::string(path) + ": " +
                   std::generic_category().message(error_number),
               hint_for(error_number), Blame::world, std::string(path)};
}

void check_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: CHECK failed: %s\n", file, line, expression);
  std::abort();
}

}  // namespace cmpost
