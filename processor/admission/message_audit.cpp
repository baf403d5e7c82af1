#include "processor/admission/message_audit.h"

namespace cmpost {

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
  if (!request.endorsed_by.empty()) detail.add("endorsed_by", request.endorsed_by);
  if (effects.open) detail.add("transaction", "opened");
  if (const auto& used = effects.use_secret) {
    detail.add("used", used->reference).add("uses", std::to_string(used->certificates));
  }
  return {"message.answered", detail.text()};
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

AuditEntry ruled_entry(const Request& request, const RuleRecord& record,
                       const ConsentObject& object) {
  const auto& tid = request.message.header.transactionID;
  return {"request.ruled", JsonObject()
                               .add("tid", tid ? to_hex(*tid) : "")
                               .add("certReqId", std::to_string(record.certReqId))
                               .add("verdict", to_string(record.outcome))
                               .add("rule", record.rule->name)
                               .add("rule_sha256", to_hex(record.rule->digest))
                               .add("object", to_hex(sha256(encode_consent_object(object))))
                               .text()};
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

}  // namespace cmpost
