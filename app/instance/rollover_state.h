// How far a change of the CA key has come, by what lies in files and in the ledger.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/instance/instance.h"
#include "ca/rollover.h"

namespace cmpost {

// `cmpost ca rollover` makes all files in a hidden directory, enters them in the ledger, and then
// gives the directory its name. Of these two steps a crash, or an older program, may have left one
// undone.
struct InterruptedRollover {
  std::string directory;  // its name in the end
  bool named = false;
  bool in_ledger = false;
  CaRollover rollover;
  Certificate cmp_certificate;
};

// nullopt: nothing that is worth completing lies there. An Error when that cannot be found out:
// there may be a key.
Result<std::optional<InterruptedRollover>> find_interrupted_rollover(Instance& instance,
                                                                     const std::string& directory);

// Beside the CA certificate: one that was interrupted, else today's.
Result<std::string> default_rollover_directory(Instance& instance);

// For `cmpost check`: what `ca rollover` or `ca credential` has entered beside the CA certificate
// and not published, and a CMP certificate of this CA in use that the ledger does not know. A
// sentence each.
Result<std::vector<std::string>> find_unfinished_commands(Instance& instance);

}  // namespace cmpost
