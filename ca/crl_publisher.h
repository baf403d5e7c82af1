// Makes CRLs from the ledger and puts them where relying parties look.
#pragma once

#include <string>

#include "base/clock.h"
#include "ca/issuer.h"
#include "ca/ledger/ledger.h"
#include "config/settings.h"

namespace cmpost {

// When a CRL is made. Where the clock is in doubt (base/watched_clock.h) it begins with the time
// that is sure and ends by the one that is likely: it counts whichever is right.
struct CrlTime {
  Time sure, likely;
  CrlTime(Time sure_time, Time likely_time) : sure(sure_time), likely(likely_time) {}
  CrlTime(Time now) : CrlTime(now, now) {}               // NOLINT: not in doubt
  CrlTime(const Clock& clock) : CrlTime(clock.now()) {}  // NOLINT: the same
};

// A full CRL with the next cRLNumber and every revoked or held certificate that has not expired;
// stored in the ledger in one commit, then written to `settings.publish` (DER for .crl/.der, else
// PEM; replaced atomically). A crash between the two: publish_newest() mends it. thisUpdate lies
// five minutes back, like notBefore of certificates. hold where published revocations are not in
// the ledger (published_crl.h).
Result<CertificateList> issue_crl(Ledger& ledger, const Issuer& issuer, const CrlSettings& settings,
                                  const CrlTime& now);
// A delta CRL to the newest complete one (RFC 5280 5.2.4): what has been revoked or held since, and
// removeFromCRL for what was released. It ends with its base at the latest. Stored and written to
// `settings.publish_delta` as above; a complete CRL where there is none of this issuer to add to,
// or its life is over.
Result<CertificateList> issue_delta_crl(Ledger& ledger, const Issuer& issuer,
                                        const CrlSettings& settings, const CrlTime& now);

// What is to be issued now.
enum class CrlDue { none, complete, delta };
// A complete CRL when there is none, when it is half through its life, when it is of the future,
// when a higher number has been published than the ledger knows, or when it is behind the ledger
// and there are no delta CRLs; a delta CRL when both together are behind or the time for the next
// has come. hold where published revocations are not in the ledger (published_crl.h).
Result<CrlDue> crl_due(LedgerReader& reader, const Issuer& issuer, const CrlSettings& settings,
                       const CrlTime& now);

// Writes the newest CRL and the newest delta CRL of the ledger to `settings.publish` and
// `publish_delta` if the file differs; hold where a CRL of a higher number lies there.
Result<void> publish_newest_crl(LedgerReader& reader, const CrlSettings& settings);

}  // namespace cmpost
