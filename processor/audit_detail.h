// The JSON of the processor's audit records. No secrets, no message bodies.
#pragma once

#include <string>

#include "processor/effects.h"
#include "processor/request.h"
#include "processor/wait_table.h"
#include "queue/job.h"

namespace cmpost {

// `changes`: how the certificate differs from the request.
AuditEntry issued_entry(const CertificateRecord& record, const std::vector<std::string>& changes);
// `why` of a revocation that the certificate's holder has asked for; every other is somebody else's
// doing.
inline constexpr std::string_view kAskedByHolder = "rr";
AuditEntry revoked_entry(const Revocation& revocation, std::string_view why);
// One for each message: what came, from whom, what was decided. `requester` is empty when the
// protection did not hold. What of `effects` can be derived from no other record is in it: a
// transaction that is opened, a use of a secret (see verify_ledger.h).
AuditEntry answered_entry(const Request& request, std::string_view requester,
                          std::string_view reply_body, std::string_view outcome,
                          const Effects& effects);

// The JSON of "message.not_recorded": how many messages of strangers have no record of their own.
std::string not_recorded_detail(std::string_view channel, const StrangerCount::Seen& seen);
// A request whose answer has conflicted for good.
AuditEntry contested_entry(const Job& job, const Conflict& conflict);

// An archived private key leaves.
AuditEntry recovered_entry(const CertificateRecord& record, const Request& request,
                           std::string_view requester);

// No text in the detail of a record is longer, in octets.
inline constexpr std::size_t kLongestDetail = 1000;

// A revocation passphrase was left for a subject.
AuditEntry passphrase_entry(const std::string& subject);

// An envelope could not be used; `reason` is for nobody else.
AuditEntry envelope_entry(const Request& request, std::string_view requester,
                          std::string_view reason);

// Who agreed to what, or refused it: `object` is the digest of that.
AuditEntry verdict_entry(const Transaction& transaction, const WaitingPart& part,
                         const Vote& verdict);
// What people have agreed to is granted: the same digest, and the serial number of a certificate.
AuditEntry granted_entry(const Request& request, std::int64_t certReqId,
                         const ConsentObject& object, ByteView serial);
// What they have agreed to is not what would be granted.
AuditEntry asked_again_entry(const Transaction& transaction, const WaitingPart& before,
                             const WaitingPart& after);

}  // namespace cmpost
