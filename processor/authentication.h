// Who sent this: verifies the protection of a request and names the Requester.
#pragma once

#include "ca/ledger.h"
#include "cmp/protection.h"
#include "crypto/seal.h"
#include "processor/request.h"
#include "processor/requester.h"

namespace cmpost {

// Verifies the protection over the octets as received and finds out whose it is (R-002, R-007,
// Changes nothing. A requester that comes back may
// still not be allowed what it asks for.
Outcome<Requester> authenticate(const Request& request, LedgerReader& ledger,
                                const SealingKey& sealing_key);

// The path and revocation check of a signer's certificate alone: the role it has on this
// channel. signerNotTrusted or certRevoked. `helpers` may stand between the signer and an anchor.
Outcome<CertificateHolder> judge_signer(const Certificate& signer,
                                        const std::vector<Certificate>& helpers,
                                        const Request& request, LedgerReader& ledger);

// Whether a requester may open a transaction: its secret, if it has one, is neither expired nor
// used up (notAuthorized). A secret that is used up still protects the certConf of its own
// transaction.
Checked<void> check_may_open(const Requester& requester, Time now);

}  // namespace cmpost
