// The secret of a device: what it may ask for follows from its row.
#pragma once

#include "app/instance/instance.h"
#include "processor/credentials/secret_store.h"
#include "processor/devices/device.h"

namespace cmpost {

// Without its value; good until `expires`. On channels that ask for listed devices the row says
// what it may have (processor/rights); elsewhere what the row said when this was made.
Result<Secret> secret_of(const Device& device, const Settings& settings, Time now,
                         std::optional<Time> expires);

// In one commit with what it belongs to: in place of another one of this name, with its audit
// records. An Error for a name that is taken as names compare.
Result<void> put_secret(LedgerWriter& writer, Instance& instance, const Secret& secret);
// A row has changed: its secret, if it has one of the list or of a letter, is good for what the row
// says by now.
Result<void> restate_secret(LedgerWriter& writer, Instance& instance, const Device& device);
// Forgets it, if there is one.
Result<void> drop_secret(LedgerWriter& writer, Instance& instance, const std::string& name);

}  // namespace cmpost
