// What an RA asks for itself: the certificate that protects its messages.
#pragma once

#include <optional>
#include <string>

#include "config/settings.h"
#include "processor/admission/role.h"
#include "processor/rights/channel_policy.h"

namespace cmpost {

// Whether the CA behind `channel` has issued it, so that it can be renewed by kur.
Result<bool> is_issued_above(const Identity& identity, const ChannelPolicy& channel, Time now);

// "" where the settings leave it to us: kur, or ir where the CA believes us by a secret. nullopt:
// nothing can be asked for by itself, since it takes a certificate of the CA, and a CA that speaks
// CMP: cannot_be_asked_for() says which.
std::optional<std::string> renewal_body(const std::string& wanted, bool issued_above,
                                        const ChannelPolicy& channel);

Error cannot_be_asked_for(const ChannelPolicy& channel);

struct OwnRequest {
  OwnRenewal renewal;       // not stored yet, with the new key
  UpstreamMessage message;  // goes up once both are
};
// A certificate with the present subject for a new key of the present kind. `profile`: certProfile,
// or "". hold: the present certificate cannot be renewed that way.
Result<OwnRequest> make_own_request(const std::string& body, const std::string& profile,
                                    const ChannelPolicy& channel, Time now,
                                    const Services& services);
// Both in one commit. False: another one is under way.
Result<bool> store_own_request(OwnRequest request, const std::string& by, LedgerWriter& writer);

// What the answer of the CA means; certConf follows by itself.
Outcome<Effects> hear_about_us(const OwnHeard& heard, const ChannelPolicy& channel,
                               Services& services);
Outcome<UpstreamMessage> poll_about_us(const UpstreamMessages& messages,
                                       const UpstreamMessage& asked, const ChannelPolicy& channel,
                                       Time now, Services& services);

}  // namespace cmpost
