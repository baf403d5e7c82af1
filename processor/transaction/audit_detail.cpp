#include "processor/transaction/audit_detail.h"

namespace cmpost {
AuditEntry issued_entry(const CertificateRecord& record, const std::vector<std::string>& changes) {
  JsonObject detail;
  detail.add("serial", to_hex(record.serial))
      .add("subject", record.subject)
      .add("profile", record.profile)
      .add("channel", record.channel)
      .add("requester", record.requester)
      .add("tid", record.tid)
      .add("state", to_string(record.state))
      .add("sha256", to_hex(sha256(record.der)));
  std::string words;
  for (const auto& change : changes) words += (words.empty() ? "" : "; ") + change;
  if (!words.empty()) detail.add("changes", words);
  return {"certificate.issued", detail.text()};
}

AuditEntry passed_entry(const CertificateRecord& record) {
  return {"certificate.passed", issued_entry(record, {}).detail};
}

AuditEntry not_noted_entry(const CertificateRecord& record) {
  return {"certificate.not_noted", issued_entry(record, {}).detail};
}

AuditEntry released_entry(ByteView serial, CertificateState state) {
  return {"certificate.released",
          JsonObject().add("serial", to_hex(serial)).add("state", to_string(state)).text()};
}

AuditEntry revoked_entry(const Revocation& revocation, std::string_view why) {
  return {"certificate.revoked", JsonObject()
                                     .add("serial", to_hex(revocation.serial))
                                     .add("reason", to_string(revocation.reason))
                                     .add("why", why)
                                     .text()};
}

std::string not_recorded_detail(std::string_view channel, const StrangerCount::Seen& seen) {
  return JsonObject()
      .add("channel", channel)
      .add("count", std::to_string(seen.left_out_before))
      .add("since", to_iso8601(seen.since))
      .text();
}

AuditEntry contested_entry(const Job& job, const Conflict& conflict) {
  return {"request.contested", JsonObject()
                                   .add("job", job.id.text())
                                   .add("channel", job.envelope.channel)
                                   .add("source", job.envelope.source)
                                   .add("conflict", to_string(conflict.what))
                                   .add("row", conflict.row)
                                   .text()};
}

AuditEntry passphrase_entry(const std::string& subject) {
  return {"revocation_passphrase.stored", JsonObject().add("subject", subject).text()};
}

AuditEntry verdict_entry(const Transaction& transaction, const WaitingPart& part,
                         const Vote& verdict) {
  JsonObject detail;
  detail.add("tid", to_hex(transaction.transactionID))
      .add("certReqId", std::to_string(part.certReqId))
      .add("subject", part.subject)
      .add("object", to_hex(verdict.object))
      .add("who", verdict.who)
      .add("account", verdict.account);
  if (verdict.uid >= 0) detail.add("uid", std::to_string(verdict.uid));
  if (!verdict.sudo_user.empty()) detail.add("sudo_user", verdict.sudo_user);
  detail.add("reason", verdict.reason);
  return {verdict.approves ? "request.approved" : "request.rejected", detail.text()};
}

AuditEntry listed_entry(const Transaction& transaction) {
  return {"request.listed", JsonObject()
                                .add("tid", to_hex(transaction.transactionID))
                                .add("requester", transaction.requester)
                                .add("subject", transaction.subject)
                                .text()};
}

AuditEntry asked_again_entry(const Transaction& transaction, const WaitingPart& before,
                             const WaitingPart& after) {
  const auto digest = [](const WaitingPart& part) {
    const auto known = part.digest();
    return known ? to_hex(*known) : std::string();
  };
  return {"request.asked_again", JsonObject()
                                     .add("tid", to_hex(transaction.transactionID))
                                     .add("certReqId", std::to_string(after.certReqId))
                                     .add("object", digest(after))
                                     .add("before", digest(before))
                                     .add("why", after.why)
                                     .text()};
}

AuditEntry heard_entry(const UpstreamMessage& asked, std::string_view answer,
                       std::string_view signer) {
  return {"upstream.answered", JsonObject()
                                   .add("tid", to_hex(asked.transactionID))
                                   .add("channel", asked.channel)
                                   .add("request", asked.body)
                                   .add("answer", answer)
                                   .add("signer", signer)
                                   .text()};
}

}  // namespace cmpost
