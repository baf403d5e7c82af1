// Orders to CAs that speak no CMP, for people.
#pragma once

#include <string>
#include <vector>

#include "ca/ledger/ledger.h"
#include "processor/upstream/upstream_table.h"

namespace cmpost {

struct ListedOrder {
  UpstreamMessage message;
  std::string id;           // order_name()
  bool revocation = false;  // to be done by hand; else a certificate is ordered
  std::string subject;      // of the order, or of what is to be revoked, as far as it is known
  std::string names, key;   // of the order, in words
  std::string extensions;   // that it asks for beside its names
  std::string serials;      // of what is to be revoked, in hex
  std::string requester;    // Transaction::requester; of what we want ourselves with a remark
};

// How many certificates are to be revoked by hand.
Result<std::int64_t> count_to_be_revoked(Connection& connection);
// The open ones, and what is to be revoked by hand; or `all` that are kept. Oldest first.
Result<std::vector<ListedOrder>> list_orders(LedgerReader& ledger, bool all);
// The same of one message.
Result<ListedOrder> describe_order(UpstreamMessage message, LedgerReader& ledger);

}  // namespace cmpost
