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

}  // namespace cmpost
