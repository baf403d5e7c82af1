// The tables in the ledger database, of all folders that keep something in it.
#pragma once

#include <vector>

#include "ca/ledger/ledger.h"

namespace cmpost {

std::vector<Ledger::Schema> ledger_schemas();

}  // namespace cmpost
