// When the clock was ahead or behind, by the audit log, and what was issued meanwhile.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ca/ledger/ledger.h"

namespace cmpost {

struct DoubtedTime {
  std::string doubt;          // "ahead", "behind"
  Time since;                 // by the clock in doubt, as `issued` of certificates
  std::optional<Time> until;  // nullopt: it is in doubt still
  std::int64_t certificates = 0;
  std::string command;  // that lists them
};

// The newest `limit`, newest first. While it was behind, certificates of the same time before are
// among them.
Result<std::vector<DoubtedTime>> find_doubted_times(LedgerReader& reader, std::size_t limit);

}  // namespace cmpost
