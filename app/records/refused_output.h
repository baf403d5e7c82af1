// What was refused before it became a transaction, in the words of `transaction`.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "processor/explanation/explain.h"
#include "processor/transaction/refused_request.h"

namespace cmpost {

// {"tid", "state": "refused", "requester", "requester_known", "stage", "reason", ...}
nlohmann::json to_json(const RefusedRequest& refused);
void print_refused(const RefusedRequest& refused);

// "mac:dev1", or "claims mac:dev1" where nothing has proven it.
std::string requester_in_words(const std::string& requester, bool known);

nlohmann::json to_json(const CheckVerdicts& verdicts);
void print_verdicts(const CheckVerdicts& verdicts);

}  // namespace cmpost
