// What a channel's `roles` make of a certificate whose path has been found (RFC 9483 3.5), and
// whether anything on that path has been taken back.
#pragma once

#include <optional>
#include <vector>

#include "ca/ledger/ledger.h"
#include "processor/admission/request.h"

namespace cmpost {

// A path: signer first, anchor last, as TrustStore finds it.
using CertificatePath = std::vector<Certificate>;

// Whether the first certificate of a path to `roles.ra` is that of an RA. It is when it is itself
// named there, or when it is an end entity with id-kp-cmcRA (RFC 9483 3.5, RFC 6402 2.10) below a
// CA that is. With `ra_without_purpose` a certificate without extKeyUsage is enough, but never one
// that this CA has issued.
bool is_of_ra(const CertificatePath& path, const ChannelPolicy& channel);

// The CA in `roles.ca` that speaks with the first certificate of the path: it itself, or the CA
// that has issued it directly, with id-kp-cmcCA. nullopt: none.
std::optional<Certificate> speaking_ca(const CertificatePath& path, const ChannelPolicy& channel);

// certRevoked when a certificate of the path, its ends included, is on a list of the channel's
// `crls`, or was issued here and is revoked or held; signerNotTrusted when it was issued here and
// is not confirmed, or not known to the ledger.
Outcome<void> check_not_revoked(const CertificatePath& path, const Request& request,
                                LedgerReader& ledger);

// certRevoked when one is on a list of the channel's `crls`.
Checked<void> check_lists(const CertificatePath& path, const Request& request);

// As check_not_revoked() for one of our own certificates. nullopt: no certificate of the ledger.
Outcome<std::optional<CertificateRecord>> find_unrevoked(const Certificate& certificate,
                                                         LedgerReader& ledger);

}  // namespace cmpost
