// Which orders to a CA that speaks no CMP something is about that has come in.
#pragma once

#include <string>
#include <vector>

#include "crypto/x509/certificate.h"
#include "processor/upstream/upstream_table.h"

namespace cmpost {

struct FoundOrders {
  std::vector<Certificate> certificates{};  // of the news; the one for the key of the orders first
  std::vector<UpstreamMessage> orders{};    // open ones and others, oldest first
  std::string fault{};                      // not empty: why it can be about none
};

// A certificate belongs to the orders for its public key; where the news has a name (Envelope::tid)
// that one of them is called by, to those. Everything else belongs to what it is called by: a
// refusal to what somebody waits for, a revocation to what was to be revoked. An Error: nobody
// could find out.
Result<FoundOrders> find_orders(const Job& news, Connection& ledger);

// A certificate, for people.
std::string described(const Certificate& certificate);

}  // namespace cmpost
