// kur: a certificate renewed by its own key.
#pragma once

#include "processor/ca_role/certificate_request.h"

namespace cmpost {

struct Renewal {
  Bytes old_serial;
  bool renewed_before = false;    // to be warned of
  std::size_t open_renewals = 0;  // Effects::open_renewals
};
struct PreparedRenewal {
  ProvenRequest proven;
  Renewal renewal;
};

// All checks of RFC 9483 4.1.3 on the one request of a kur: the signer is the certificate named by
// oldCertId, of this CA and not revoked, no other renewal is open, the subject stays. What the
// template leaves out (subject, subjectAltName, profile) is taken from the old certificate.
Outcome<PreparedRenewal> prepare_renewal(const CertReqMsg& message, const Request& request,
                                         const Requester& requester, CaServices& services);

// The old certificate is done with once the new one is accepted.
StateChange mark_updated(const Renewal& renewal);
// The same at the end of a transaction. Nothing where it is no renewal, or where the old
// certificate was revoked or put on hold meanwhile.
Result<Effects> retire(const Transaction& transaction, LedgerReader& ledger);

}  // namespace cmpost
