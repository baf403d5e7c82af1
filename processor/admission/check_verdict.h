// One check that a message went through, for people.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cmpost {

struct CheckVerdict {
  enum class Verdict { passed, failed, skipped };
  std::string check;  // "messageTime"
  Verdict verdict = Verdict::passed;
  std::string detail;  // what was found, or why it failed
};
std::string_view to_string(CheckVerdict::Verdict verdict);
using CheckVerdicts = std::vector<CheckVerdict>;

}  // namespace cmpost
