// An answer of the CA above that nothing waits for any more, and the certificates in it.
#pragma once

#include "processor/admission/role.h"

namespace cmpost {

// Those that nobody has: what becomes of them, says `rule`. An Answer that does not fit what it is
// to is a Rejection.
Outcome<Effects> orphans_in(const Heard& late, RaSettings::Orphans rule);

// Asks the CA to revoke it (RFC 9483 5.3.2): rr under our signature, in a transaction of its own. A
// Rejection: it cannot be asked, and a person has to see to it.
Outcome<Effects> ask_for_revocation(const Orphan& orphan, const ChannelPolicies& channels, Time now,
                                    Services& services);

}  // namespace cmpost
