// What the ledger says now against what its audit chain says has happened.
#pragma once

#include <functional>
#include <string>

#include "ca/ledger/ledger.h"

namespace cmpost {

struct LedgerVerdict {
  std::int64_t records = 0;               // of the chain
  std::optional<std::int64_t> broken_at;  // the first that does not fit; then nothing is compared
  std::int64_t certificates = 0, secrets = 0, transactions = 0;  // rows that were compared
  std::int64_t differences = 0;
  // Records of earlier versions have no digest of the certificate, no state, no columns of the
  // secret and no word about transactions: such rows are compared by what there is.
  std::int64_t certificates_by_serial = 0, secrets_by_name = 0, transactions_without_record = 0;
};

// Follows the chain, and derives from its records every certificate with its state, every secret
// and every transaction; then compares with the tables. `tell` hears of each row that is missing,
// changed, or there without a record, in one line without control characters. One snapshot, read
// only; what is derived is kept in a temporary table of SQLite's, so memory stays flat whatever the
// size of the ledger.
Result<LedgerVerdict> verify_ledger(LedgerReader& reader,
                                    const std::function<void(const std::string&)>& tell);

}  // namespace cmpost
