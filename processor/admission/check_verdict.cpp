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

std::string title_of(PartCheck check) {
  switch (check) {
    case PartCheck::certTemplate:
      return "template";
    case PartCheck::possession:
      return "proof of possession";
    case PartCheck::subject:
      return "subject is the requester's to ask for";
    case PartCheck::profile:
      return "profile";
    case PartCheck::rules:
      return "rules of the profile";
    case PartCheck::lint:
      break;
  }
  return "lint";
}

std::string words_of(const Rejection& rejection) {
  return std::string(to_string(rejection.failInfo)) + ": " + rejection.text;
}

}  // namespace cmpost
