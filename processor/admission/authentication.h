// Who sent this: verifies the protection of a request and names the Requester.
#pragma once

#include <functional>

#include "cmp/protection.h"
#include "processor/admission/request.h"
#include "processor/admission/services.h"
#include "processor/rights/requester.h"

namespace cmpost {

// Verifies the protection over the octets as received and finds out whose it is (R-002, R-007,
// Changes nothing. A requester that comes back may
// still not be allowed what it asks for.
Outcome<Requester> authenticate(const Request& request, const Services& services);

// Of these it is made, and of those in kem_protection.h.
Outcome<Requester> authenticate_by_secret(const Request& request, const Services& services);
Outcome<Requester> authenticate_by_signature(const Request& request, const Services& services);

// After a badMessageCheck: what counts against a secret, if the message named one.
Result<std::optional<SecretFailure>> failure_to_count(const Request& request,
                                                      const Services& services);

// The path and revocation check of a signer's certificate alone: the role it has on this
// channel. signerNotTrusted or certRevoked. `helpers` may stand between the signer and an anchor.
Outcome<CertificateHolder> judge_signer(const Certificate& signer,
                                        const std::vector<Certificate>& helpers,
                                        const Request& request, LedgerReader& ledger);

// The certificates in extraCerts that can be read, and the one among them that the header points
// at, of those that `fits`; else one that the channel's settings name themselves.
std::vector<Certificate> read_extra_certs(const Request& request);
using SenderFilter = std::function<bool(const Certificate&)>;
Checked<Certificate> find_sender_certificate(const Request& request,
                                             const std::vector<Certificate>& extra_certs,
                                             const SenderFilter& fits = {});
// Whether senderKID means this certificate: by its subjectKeyIdentifier or, without that, by the
// identifier of its key (RFC 5280 4.2.1.2, method 1).
bool has_key_identifier(const Certificate& certificate, const Bytes& key_identifier);
// the certificate is for this, and the sender is its subject.
Checked<void> check_sender(const Certificate& certificate, KeyUsageBit usage,
                           const Request& request);

// Whether a requester may open a transaction with this body: its Rights are for it. A secret that
// is used up still protects the certConf of its own transaction. wrongIntegrity without the
// ciphertext that the answer needs.
Checked<void> check_may_open(const Requester& requester, const PKIBody& body);

}  // namespace cmpost
