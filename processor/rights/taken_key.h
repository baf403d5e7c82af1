// Keys that have a certificate already (reuse_key = "deny").
#pragma once

#include "cmp/pki_failure_info.h"
#include "processor/rights/holder_to_be.h"

namespace cmpost {

// Whether all of these are this holder's.
Result<bool> are_all_of(const HolderIdentity& holder,
                        const std::vector<CertificateRecord>& records);

// What is said to who asks for a certificate of `subject` for a key that these are for.
Result<Rejection> key_is_taken(const std::vector<CertificateRecord>& by, const Name& subject,
                               const Requester& requester);

}  // namespace cmpost
