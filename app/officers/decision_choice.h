// Which requests a person decides about.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/terminal/exit_code.h"
#include "ca/ledger/ledger.h"
#include "processor/approval.h"

namespace cmpost {

struct DecisionWords {
  bool approves = true;
  std::vector<std::string> ids;
  std::string batch, matching, reason, digest, key;
  std::optional<std::int64_t> expect;
};

struct NamedRequest {
  Transaction transaction;
  Choice choice;
};

// What was named, as it waits now. Of many (a batch, a match) each part by itself, and nothing else
// than what it is about now; an Error where there are not as many transactions as expected. Empty:
// nothing waits.
Result<std::vector<NamedRequest>> choose(LedgerReader& ledger, const DecisionWords& words);

}  // namespace cmpost
