// What waits for people, in the words of `transaction` and `approve`.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "processor/transaction/waiting.h"

namespace cmpost {

// {"certReqId", "state", "subject", "digest", "round", "why", "object": [{"what", "text",
// "exact"}]}; digest and object are null where a former version has kept none.
nlohmann::json to_json(const WaitingPart& part);

enum class Detail {
  brief,  // of many lines of one kind the first few
  whole
};
// Lines of 80 columns: the state, the digest, and what would be granted.
void print_part(const WaitingPart& part, Detail detail);

}  // namespace cmpost
