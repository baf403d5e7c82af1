// What comes from a CA above: answers to what an RA has asked it, and the lack of them.
#pragma once

#include "processor/proceeding/decision.h"

namespace cmpost {

// Works on what came on a channel with direction = "upstream" (RFC 9483 5.2). An answer is verified
// before anything of it is kept: one that is forged, late, or belongs to nothing that was asked
// changes nothing, and is held for an operator. The first that counts becomes the requester's
// answer; another one is shown beside it. The members of a batch of answers become jobs of their
// own. Harmless to repeat, like respond().
Result<Decision> hear_above(const Lease& lease, LedgerReader& ledger,
                            const ProcessorServices& services);

// Works on an upstream_job(): the requester hears systemUnavail where no answer has come in time,
// or the CA is asked again that has told us to come back.
Result<Decision> tend_above(const Lease& lease, LedgerReader& ledger,
                            const ProcessorServices& services);

// The answer to what we have asked for ourselves, the certificate that protects our messages; and
// the lack of one.
Result<bool> is_about_us(const Lease& lease, LedgerReader& ledger,
                         const ProcessorServices& services);
Result<Decision> hear_about_us(const Lease& lease, LedgerReader& ledger,
                               const ProcessorServices& services);
Result<Decision> tend_about_us(const Lease& lease, const UpstreamMessage& asked,
                               LedgerReader& ledger, const ProcessorServices& services);

// The answers to a batch in a nested message (RFC 9483 5.2.2.2), or an error about all of it.
Result<bool> is_about_batch(const Lease& lease, LedgerReader& ledger,
                            const ProcessorServices& services);
Result<Decision> hear_batch(const Lease& lease, LedgerReader& ledger,
                            const ProcessorServices& services);

}  // namespace cmpost
