// What an RA has asked a CA above for a request: for lists.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"
#include "processor/transaction/transaction.h"
#include "store/connection.h"

namespace cmpost {

// An array, empty at a CA.
Result<nlohmann::json> upstream_json(const Transaction& transaction, Connection& connection);
// One line for each message, or for each that is not answered yet.
enum class Asked { all, open };
Result<void> print_upstream(const Transaction& transaction, Asked which, Connection& connection);

}  // namespace cmpost
