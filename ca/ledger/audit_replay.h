// The audit chain from its beginning, for who derives something from it.
#pragma once

#include <functional>

#include "ca/ledger/audit.h"

namespace cmpost {

// As verify_audit(); `each` hears of every record that fits, in their order.
Result<std::optional<std::int64_t>> replay_audit(
    Connection& connection, const std::function<Result<void>(const AuditRecord&)>& each);

}  // namespace cmpost
