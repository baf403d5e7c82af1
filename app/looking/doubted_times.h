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

struct DoubtedTimes {
  std::vector<DoubtedTime> newest;  // newest first
  std::size_t more = 0;             // that are not among them
};

// The newest `limit` of all. While it was behind, certificates of the same time before are among
// those counted.
Result<DoubtedTimes> find_doubted_times(LedgerReader& reader, std::size_t limit);

}  // namespace cmpost
