// The JSON of audit records about a message that is worked on. No secrets, no message
// bodies.
#pragma once

#include <string_view>

#include "processor/admission/request.h"
#include "processor/transaction/audit_detail.h"

namespace cmpost {

// One for each message: what came, from whom, what was decided. `requester` is empty when the
// protection did not hold. What of `effects` can be derived from no other record is in it: a
// transaction that is opened, a use of a secret (see verify_ledger.h).
AuditEntry answered_entry(const Request& request, std::string_view requester,
                          std::string_view reply_body, std::string_view outcome,
                          const Effects& effects);

// An archived private key leaves.
AuditEntry recovered_entry(const CertificateRecord& record, const Request& request,
                           std::string_view requester);

// An envelope could not be used; `reason` is for nobody else.
AuditEntry envelope_entry(const Request& request, std::string_view requester,
                          std::string_view reason);

// What a rule has said of a part, and about what: the digest of its wording, and of the object.
AuditEntry ruled_entry(const Request& request, const RuleRecord& record,
                       const ConsentObject& object);

// What people have agreed to is granted: the same digest, and the serial number of a certificate.
AuditEntry granted_entry(const Request& request, std::int64_t certReqId,
                         const ConsentObject& object, ByteView serial);

}  // namespace cmpost
