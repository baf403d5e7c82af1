#include "processor/admission/check_verdict.h"

namespace cmpost {

std::string_view to_string(CheckVerdict::Verdict verdict) {
  switch (verdict) {
    case CheckVerdict::Verdict::passed:
      return "passed";
    case CheckVerdict::Verdict::failed:
      return "failed";
    case CheckVerdict::Verdict::skipped:
      break;
  }
  return "skipped";
}

std::string words_of(const Rejection& rejection) {
  return std::string(to_string(rejection.failInfo)) + ": " + rejection.text;
}

}  // namespace cmpost
