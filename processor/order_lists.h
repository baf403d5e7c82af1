// The lists that lie beside the orders which a person carries.
#pragma once

#include "processor/dialogue/respond.h"

namespace cmpost {

// In the `out` of each channel of kind "orders" that has one: orders.csv, what has been ordered and
// not come, and revocations.csv, what is to be revoked by hand. Written anew where something has
// changed: after a crash there is the old one or the new one. An `out` that is away gets them when
// it is back. An Error: some of them could not be written.
Result<void> write_order_lists(LedgerReader& ledger, const ChannelPolicies& channels);

}  // namespace cmpost
