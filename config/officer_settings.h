// [[officer]]: who decides about what waits.
#pragma once

#include <string>

namespace cmpost {

struct OfficerSettings {
  std::string name;         // in verdicts; tells people apart
  std::string account;      // of the operating system
  std::string certificate;  // absolute path of a PEM file: verdicts are signed with it; empty: not
};

}  // namespace cmpost
