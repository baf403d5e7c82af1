// The JSON of audit records about what the ledger remembers. No secrets, no message bodies.
#pragma once

#include <string>
#include <vector>

#include "base/json_object.h"
#include "processor/transaction/effects.h"
#include "processor/transaction/wait_table.h"
#include "queue/job.h"

namespace cmpost {

// `changes`: how the certificate differs from the request.
AuditEntry issued_entry(const CertificateRecord& record, const std::vector<std::string>& changes);
// The same of one that a CA above has issued and that passes here.
AuditEntry passed_entry(const CertificateRecord& record);
// ... and that the ledger cannot note, since another one has its serial number.
AuditEntry not_noted_entry(const CertificateRecord& record);
// `why` of a revocation that the certificate's holder has asked for; every other is somebody else's
// doing.
inline constexpr std::string_view kAskedByHolder = "rr";
AuditEntry revoked_entry(const Revocation& revocation, std::string_view why);
AuditEntry released_entry(ByteView serial, CertificateState state);
// The JSON of "message.not_recorded": how many messages of strangers have no record of their own.
std::string not_recorded_detail(std::string_view channel, const StrangerCount::Seen& seen);
// A request whose answer has conflicted for good.
AuditEntry contested_entry(const Job& job, const Conflict& conflict);

// No text in the detail of a record is longer, in octets.
inline constexpr std::size_t kLongestDetail = JsonObject::kLongestValue;

// A revocation passphrase was left for a subject.
AuditEntry passphrase_entry(const std::string& subject);

// Who agreed to what, or refused it: `object` is the digest of that.
AuditEntry verdict_entry(const Transaction& transaction, const WaitingPart& part,
                         const Vote& verdict);
// What they have agreed to is not what would be granted.
AuditEntry asked_again_entry(const Transaction& transaction, const WaitingPart& before,
                             const WaitingPart& after);

// Its device has a row by now, for which it has waited.
AuditEntry listed_entry(const Transaction& transaction);

// What a CA above has answered to what an RA has asked it.
AuditEntry heard_entry(const UpstreamMessage& asked, std::string_view answer,
                       std::string_view signer);

}  // namespace cmpost
