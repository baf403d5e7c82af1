// Makes CRLs from the ledger and puts them where relying parties look.
#pragma once

#include <string>

#include "base/clock.h"
#include "ca/issuer.h"
#include "ca/ledger.h"
#include "config/settings.h"

namespace cmpost {

// A full CRL with the next cRLNumber and every revoked or held certificate that has not expired;
// stored in the ledger in one commit, then written to `settings.publish` (DER for .crl/.der, else
// PEM; replaced atomically). A crash between the two: publish_newest() mends it.
Result<CertificateList> issue_crl(Ledger& ledger, const Issuer& issuer, const CrlSettings& settings,
                                  const Clock& clock);
// Writes the newest CRL of the ledger to `settings.publish` if the file differs.
Result<void> publish_newest_crl(LedgerReader& reader, const CrlSettings& settings);

}  // namespace cmpost
