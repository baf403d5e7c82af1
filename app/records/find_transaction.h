// Transactions by what people write for their ids.
#pragma once

#include <string>
#include <vector>

#include "processor/transaction/transaction.h"
#include "store/connection.h"

namespace cmpost {

// The beginning of the transactionID is enough where only one begins with it.
Result<Transaction> find_transaction(Connection& connection, const std::string& text);

// "several transactions begin with 0a: write more of one: ..."
Error several_transactions(const std::string& text, const std::vector<Transaction>& found);

}  // namespace cmpost
