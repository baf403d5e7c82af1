// How long the octets of messages are kept.
#pragma once

#include "ca/ledger/ledger.h"

namespace cmpost {

// Removes the messages of transactions that have ended and whose last message came before `before`,
// with what was noted while they waited; of at most `limit` transactions or a little more. Returns
// how many transactions. Each commit ends with whole transactions, tens of them at a time, and has
// an audit record.
//
// The transactions themselves stay: their transactionIDs are not used again, so a request
// that comes once more is refused and not worked on. Certificates, verdicts and audit stay too.
Result<std::size_t> forget_messages(Ledger& ledger, Time before, std::size_t limit);

}  // namespace cmpost
