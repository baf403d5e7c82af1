// Who does something by hand, for the audit log.
#pragma once

#include <cstdint>
#include <string>

namespace cmpost {

// Only the account is known: the rest is what somebody has said, and is kept beside it.
struct Person {
  std::string account;    // of the process's real user, by name where it has one
  std::int64_t uid = -1;  // its number
  std::string sudo_user;  // by SUDO_USER, which anybody can set; empty: not said
  std::string as;         // by --as
  std::string comment;    // by --comment: why
  // By what people call him.
  const std::string& name() const { return as.empty() ? account : as; }
};

}  // namespace cmpost
