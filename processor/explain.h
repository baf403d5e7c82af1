// The checks that a stored message went through, each with its verdict, for people.
#pragma once

#include <string>
#include <vector>

#include "processor/respond.h"
#include "processor/transaction.h"

namespace cmpost {

struct CheckVerdict {
  enum class Verdict { passed, failed, skipped };
  std::string check;  // "messageTime"
  Verdict verdict = Verdict::passed;
  std::string detail;  // what was found, or why it failed
};
std::string_view to_string(CheckVerdict::Verdict verdict);
using CheckVerdicts = std::vector<CheckVerdict>;

// Goes through the checks again on the octets as received: nothing is recorded for it while
// requests are worked on. What depends on the clock is judged at `at`, when the message was
// answered; what depends on the ledger, as it is now. Changes nothing. A check that cannot be made
// because an earlier one failed is skipped.
Result<CheckVerdicts> explain(const StoredMessage& message, Time at, LedgerReader& ledger,
                              const ProcessorServices& services);

// When a message of a transaction was answered.
Result<std::optional<Time>> answered_at(LedgerReader& ledger, std::int64_t transaction,
                                        const Sha256& digest);

}  // namespace cmpost
