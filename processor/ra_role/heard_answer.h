// An answer of the CA above, held against what it was asked.
#pragma once

#include "processor/admission/role.h"

namespace cmpost {

// The senderNonce of the last answer from above; nullopt: there was none.
std::optional<Bytes> nonce_from_above(const std::vector<UpstreamMessage>& messages);

// Of certConf.
bool is_accepted(const CertStatus& status);

// Why it does not count.
tl::unexpected<Rejection> unfit(std::string text);

// RFC 9483 3.5: the body answers the request. Whether its parts do, see heard_parts.h.
Checked<void> check_answers(const UpstreamMessage& asked, const PKIBody& question,
                            const PKIBody& answer);
// Some of it is to be decided yet; which part of it, says heard_parts.h.
bool says_waiting(const PKIBody& answer);
// When to ask again: what pollRep says, "at least" (RFC 9810 5.3.22), else after `otherwise`. Not
// all the time, whatever a CA says.
std::chrono::seconds check_after(const PKIBody& answer, std::chrono::seconds otherwise);
// nullptr: none is in it, or it is encrypted.
const CMPCertificate* certificate_in(const CertResponse& response);
// The refusal in it; nullopt where something is granted.
std::optional<Rejection> refusal_in(const PKIBody& answer);

// What a certificate was asked for by. Borrowed.
struct AnsweredQuestion {
  const Request& question;
  const Transaction& transaction;
  const Requester* requester;  // as in Heard
  Time now{};
};
// For the ledger. `awaits`: certConf.
CertificateRecord passing_record(const Certificate& certificate, const AnsweredQuestion& asked,
                                 bool awaits);

// The certificate as it was noted when it passed; nullopt: it was not, since it is encrypted or
// another one of the ledger has its serial number.
Result<std::optional<CertificateRecord>> noted(const TransactionCertificate& issued,
                                               const Transaction& transaction, Services& services);

// What the answer changes in our copy of the CA's records: certificates that pass, and what becomes
// of them. Adds the certificates to `answer`.
Outcome<void> note_certificates(const Heard& heard, Answer& answer);
// What was asked for and is not granted its secret can bring another time.
void give_back(const Request& question, const Requester* requester, Answer& answer);
Result<void> note_revocations(const PKIBody& question, const PKIBody& answer, Time now,
                              Services& services, Effects& effects);
// The new certificates of a kur are accepted: the old one has had its successor. Of a CA that gives
// the old one again it stays as it is.
Result<void> note_renewed(const Transaction& transaction,
                          const std::vector<TransactionCertificate>& successors, Services& services,
                          Effects& effects);
Result<void> note_confirmation(const Transaction& transaction, const body::certConf& certConf,
                               Time now, Services& services, Effects& effects);

}  // namespace cmpost
