#include "processor/audit_detail.h"

namespace cmpost {
namespace {

// A flat JSON object, written by hand because one is made for every message.
class JsonObject {
 public:
  JsonObject& add(std::string_view key, std::string_view value) {
    if (text_.empty()) text_.reserve(kUsual);
    text_ += text_.empty() ? "{\"" : ",\"";
    text_ += key;
    text_ += "\":\"";
    add_escaped(printable(value, kLongestDetail));
    text_ += '"';
    return *this;
  }
  // Once, at the end.
  std::string text() {
    text_ += '}';
    return std::move(text_);
  }

 private:
  static constexpr std::size_t kUsual = 320;

  // Whole runs at a time: next to nothing needs an escape.
  void add_escaped(std::string_view value) {
    std::size_t written = 0;
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (value[i] != '"' && value[i] != '\\') continue;
      text_ += value.substr(written, i - written);
      text_ += '\\';
      written = i;
    }
    text_ += value.substr(written);
  }

  std::string text_;
};

}  // namespace

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

AuditEntry revoked_entry(const Revocation& revocation, std::string_view why) {
  return {"certificate.revoked", JsonObject()
                                     .add("serial", to_hex(revocation.serial))
                                     .add("reason", to_string(revocation.reason))
                                     .add("why", why)
                                     .text()};
}

AuditEntry answered_entry(const Request& request, std::string_view requester,
                          std::string_view reply_body, std::string_view outcome,
                          const Effects& effects) {
  const auto& tid = request.message.header.transactionID;
  JsonObject detail;
  detail.add("digest", to_hex(request.digest))
      .add("channel", request.channel->settings.name)
      .add("tid", tid ? to_hex(*tid) : "")
      .add("body", body_name(request.message.body))
      .add("requester", requester)
      .add("answer", reply_body)
      .add("outcome", outcome);
  if (effects.open) detail.add("transaction", "opened");
  if (const auto& used = effects.use_secret) {
    detail.add("used", used->reference).add("uses", std::to_string(used->certificates));
  }
  return {"message.answered", detail.text()};
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

AuditEntry recovered_entry(const CertificateRecord& record, const Request& request,
                           std::string_view requester) {
  return {"key.recovered", JsonObject()
                               .add("serial", to_hex(record.serial))
                               .add("subject", record.subject)
                               .add("channel", request.channel->settings.name)
                               .add("requester", requester)
                               .add("tid", to_hex(*request.message.header.transactionID))
                               .text()};
}

AuditEntry passphrase_entry(const std::string& subject) {
  return {"revocation_passphrase.stored", JsonObject().add("subject", subject).text()};
}

AuditEntry envelope_entry(const Request& request, std::string_view requester,
                          std::string_view reason) {
  const auto& tid = request.message.header.transactionID;
  return {"envelope.refused", JsonObject()
                                  .add("requester", requester)
                                  .add("channel", request.channel->settings.name)
                                  .add("tid", tid ? to_hex(*tid) : "")
                                  .add("reason", reason)
                                  .text()};
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

AuditEntry granted_entry(const Request& request, std::int64_t certReqId,
                         const ConsentObject& object, ByteView serial) {
  const auto& tid = request.message.header.transactionID;
  JsonObject detail;
  detail.add("tid", tid ? to_hex(*tid) : "")
      .add("certReqId", std::to_string(certReqId))
      .add("object", to_hex(sha256(encode_consent_object(object))));
  if (!serial.empty()) detail.add("serial", to_hex(serial));
  return {"request.granted", detail.text()};
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

}  // namespace cmpost
