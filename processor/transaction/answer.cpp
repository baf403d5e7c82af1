#include "processor/transaction/answer.h"

namespace cmpost {

std::string outcome_of(const Answer& answer) {
  if (!answer.refused) return answer.outcome;
  const auto& [failInfo, text] = *answer.refused;
  return (answer.partly ? "partly rejection " : "rejection ") + std::string(to_string(failInfo)) +
         ": " + text;
}

Answer refusal(const Rejection& rejection) {
  Answer answer;
  answer.body = error_body(rejection);
  answer.refuse(rejection);
  return answer;
}

PKIBody error_body(const Rejection& rejection) {
  return body::error{{status_info(rejection), std::nullopt, {}}};
}

}  // namespace cmpost
