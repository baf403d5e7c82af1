// From what somebody has in hand to the requests that it belongs to.
#pragma once

#include <string>
#include <vector>

#include "ca/ledger/ledger.h"
#include "processor/transaction/refused_request.h"
#include "processor/transaction/transaction.h"

namespace cmpost {

struct FoundRequests {
  std::vector<Transaction> transactions;  // the newest first
  std::vector<RefusedRequest> refused;    // the newest first
  bool is_empty() const { return transactions.empty() && refused.empty(); }
};

// `text` is a transactionID or the beginning of one; or the serial number, or the beginning of one,
// of a certificate that was issued or that a refused request names; or how the request came, or a
// part of that (file name, Message-ID). The first of them that has something. At most `limit` of
// each kind.
Result<FoundRequests> find_requests(LedgerReader& ledger, std::string_view text, std::size_t limit);

// The transactions whose id begins with these hexadecimal digits; a whole one alone, where there is
// one. By row id, the newest first.
Result<std::vector<Transaction>> transactions_beginning(Connection& connection,
                                                        std::string_view digits, std::size_t limit);
// What was refused under a transactionID: not necessarily of who has opened the transaction.
Result<std::vector<RefusedRequest>> refused_under(Connection& connection, ByteView transactionID,
                                                  std::size_t limit);

}  // namespace cmpost
