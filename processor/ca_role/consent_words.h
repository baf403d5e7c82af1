// The objects of consent (consent_object.h) of requests: made from what would be granted, and so
// lasting that the same request under the same settings has the same one tomorrow.
#pragma once

#include "processor/ca_role/certificate_request.h"
#include "processor/ca_role/renewal.h"
#include "processor/transaction/consent_object.h"

namespace cmpost {

// A certificate with all that the profile makes of the wish: subject, names, extensions, key,
// validity (as rules: the certificate may be issued days later), private keys that leave or are
// kept. What cannot be issued is the Trouble that issue() would have.
Outcome<void> describe_certificate(const ProvenRequest& proven, const Profile& profile,
                                   const Request& request, const Requester& requester,
                                   const CaServices& services, ConsentObject& object);
// The certificate of `serial`, its holder and its state.
void describe_record(std::string what, const CertificateRecord& record, std::string_view more,
                     ConsentObject& object);
// All that a handler has planned. An Error where the ledger cannot be read.
Result<void> describe_effects(const Effects& effects, CaServices& services, ConsentObject& object);

}  // namespace cmpost
