// What is to be said about the clock.
#pragma once

#include <string>
#include <vector>

#include "app/instance/instance.h"

namespace cmpost {

struct ClockNote {
  std::string text;     // which times disagree, what waits, and what to do
  bool urgent = false;  // somebody has to do something
};

// Judges the clock by what the ledger remembers, for the instance too, and writes nothing: a clock
// in doubt, records or a CRL of times that have not come, a clock before the beginning of the CA
// certificate.
Result<std::vector<ClockNote>> find_clock_notes(Instance& instance);

}  // namespace cmpost
