// Certificates that are confirmed here, or refused on behalf of who has not accepted them.
#pragma once

#include "processor/admission/role.h"
#include "processor/rights/channel_policy.h"

namespace cmpost {

// The CA waits for no certConf: it has granted implicitConfirm to us.
bool confirmed_above(const std::vector<UpstreamMessage>& messages);

// RevDetails of a certificate that nobody wants (RFC 9483 4.2).
RevDetails revocation_of(const Certificate& certificate);

// certConf where `confirm = "local"`: the hash is that of the certificate, and what the requester
// refuses is revoked on its behalf by rr (RFC 9483 5.2.3, 5.3.2).
Outcome<Answer> confirm_here(const Request& request, const Transaction& transaction,
                             const std::vector<UpstreamMessage>& messages,
                             const ChannelPolicies& channels, Services& services);

// What of a transaction nobody has accepted is refused at the CA: by certConf while it waits for
// one that has not gone up, else by rr. Only where it was asked for under our protection; else
// nothing.
Result<Effects> refuse_above(const Transaction& transaction,
                             const std::vector<UpstreamMessage>& messages, std::int64_t pvno,
                             Time now, const ChannelPolicies& channels, Services& services);

}  // namespace cmpost
