#include "processor/ra_role/local_confirmation.h"

#include <algorithm>

#include "base/json_object.h"
#include "base/log.h"
#include "cmp/protection.h"
#include "processor/ra_role/heard_answer.h"
#include "processor/ra_role/upward.h"
#include "processor/transaction/wait_table.h"
#include "queue/order_job.h"

namespace cmpost {
namespace {

// As its requester has got it: where the ledger has another one of this serial number.
Result<std::optional<Certificate>> certificate_sent(const TransactionCertificate& issued,
                                                    const Transaction& transaction,
                                                    Services& services) {
  ASSIGN_OR_RETURN(const auto waiting,
                   WaitTable(services.ledger.connection()).find(transaction.id));
  const auto* part = waiting ? waiting->part(issued.certReqId) : nullptr;
  const auto* content = part == nullptr ? nullptr : cert_response(part->answer);
  if (content == nullptr) return std::nullopt;
  for (const auto& response : content->response) {
    if (!response.certifiedKeyPair) continue;
    const auto& choice = response.certifiedKeyPair->certOrEncCert.choice;
    const auto* sent = std::get_if<CMPCertificate>(&choice);
    if (sent == nullptr) continue;
    ASSIGN_OR_RETURN(auto certificate, Certificate::from_der(sent->der));
    if (equal(certificate.serial_number(), issued.serial)) return certificate;
  }
  return std::nullopt;
}

Result<std::optional<Certificate>> certificate_of(const TransactionCertificate& issued,
                                                  const Transaction& transaction,
                                                  Services& services) {
  ASSIGN_OR_RETURN(const auto record, noted(issued, transaction, services));
  if (!record) return certificate_sent(issued, transaction, services);
  ASSIGN_OR_RETURN(auto certificate, Certificate::from_der(record->der));
  return certificate;
}

Outcome<void> check_hash(const CertStatus& status, const Transaction& transaction,
                         Services& services) {
  const auto issued = std::ranges::find(transaction.certificates, status.certReqId,
                                        &TransactionCertificate::certReqId);
  if (issued == transaction.certificates.end()) {
    return reject(PKIFailureInfo::badRequest,
                  "certConf names certReqId " + std::to_string(status.certReqId));
  }
  ASSIGN_OR_RETURN(const auto certificate, certificate_of(*issued, transaction, services));
  if (!certificate) return {};  // nobody here can compare it
  ASSIGN_OR_RETURN(const auto expected, cert_hash(*certificate, status.hashAlg));
  if (expected == status.certHash) return {};
  return reject(PKIFailureInfo::badCertId, "certHash is not that of the certificate");
}

PKIStatusInfo rejection_status() {
  PKIStatusInfo status;
  status.status = PKIStatus::rejection;
  status.statusString = {"the requester has not accepted the certificate"};
  return status;
}

// What says so, to whom.
struct Refusal {
  PKIBody body;
  bool any = false;
};

// It is encrypted: nobody here can name it, and it stays valid at the CA.
void tell_not_refused(const TransactionCertificate& issued, const Transaction& transaction) {
  log::error("upstream.not_refused", {{"tid", to_hex(transaction.transactionID)},
                                      {"certReqId", issued.certReqId},
                                      {"answer", "the certificate is not known here"}});
}

Result<Refusal> refusal_by_certConf(const Transaction& transaction, Services& services) {
  body::certConf certConf;
  for (const auto& issued : transaction.certificates) {
    if (issued.settled) continue;
    ASSIGN_OR_RETURN(const auto certificate, certificate_of(issued, transaction, services));
    if (!certificate) {
      tell_not_refused(issued, transaction);
      continue;
    }
    CertStatus status;
    status.certReqId = issued.certReqId;
    const auto hash = cert_hash(*certificate, std::nullopt);
    if (!hash) continue;
    status.certHash = *hash;
    status.statusInfo = rejection_status();
    certConf.statuses.push_back(std::move(status));
  }
  const bool any = !certConf.statuses.empty();
  return Refusal{std::move(certConf), any};
}

Result<Refusal> refusal_by_rr(const std::vector<TransactionCertificate>& certificates,
                              const Transaction& transaction, Services& services) {
  body::rr rr;
  for (const auto& issued : certificates) {
    ASSIGN_OR_RETURN(const auto certificate, certificate_of(issued, transaction, services));
    if (certificate) {
      rr.details.push_back(revocation_of(*certificate));
    } else {
      tell_not_refused(issued, transaction);
    }
  }
  const bool any = !rr.details.empty();
  return Refusal{std::move(rr), any};
}

// A person has to do it: an alarm.
AuditEntry call_for_revocation(const UpstreamMessage& order, const PKIBody& body) {
  std::string serials;
  for (const auto& one : std::get<body::rr>(body).details) {
    serials +=
        (serials.empty() ? "" : ",") + to_hex(one.certDetails.serialNumber.value_or(Bytes()));
  }
  const auto tid = to_hex(order.transactionID);
  log::error("order.to_be_revoked", {{"order", order_name(tid)},
                                     {"channel", order.channel},
                                     {"serial", serials},
                                     {"hint",
                                      "revoke it at the CA by hand, then `cmpost order "
                                      "revoked " +
                                          order_name(tid) + "`"}});
  return {"order.to_be_revoked",
          JsonObject().add("tid", tid).add("channel", order.channel).add("serial", serials).text()};
}

const ChannelPolicy* channel_of(const UpstreamMessage& message, const ChannelPolicies& channels) {
  const auto found = channels.find(message.channel);
  return found == channels.end() ? nullptr : &found->second;
}

Result<Effects> sent(Refusal refusal, const std::vector<UpstreamMessage>& messages,
                     std::int64_t pvno, Time now, const ChannelPolicies& channels,
                     Services& services) {
  Effects effects;
  const auto& first = messages.front();
  const auto* channel = channel_of(first, channels);
  if (!refusal.any || channel == nullptr) return effects;
  const bool opens = std::holds_alternative<body::rr>(refusal.body);
  auto about = first;
  const bool by_hand = first.mode == UpstreamMode::pkcs10;
  if (by_hand) effects.audit.push_back(call_for_revocation(first, refusal.body));
  // A transaction of its own: that of the requester has ended.
  if (opens && !by_hand) about.transactionID = services.random.bytes(16);
  ASSIGN_OR_RETURN(auto message, make_own(std::move(refusal.body), about, pvno,
                                          opens ? std::nullopt : nonce_from_above(messages),
                                          *channel, now, services));
  message.seq = messages.back().seq + 1;
  effects.send_up.push_back(std::move(message));
  return effects;
}

}  // namespace

RevDetails revocation_of(const Certificate& certificate) {
  RevDetails details;
  details.certDetails.issuer = certificate.issuer();
  details.certDetails.serialNumber = to_bytes(certificate.serial_number());
  der::Writer reason;
  reason.integer(static_cast<std::int64_t>(CRLReason::cessationOfOperation), 0x0a);
  details.crlEntryDetails = Extensions{{oid::id_ce_cRLReasons, false, std::move(reason).take()}};
  return details;
}

bool confirmed_above(const std::vector<UpstreamMessage>& messages) {
  // Of a request of several parts each answer says it for itself.
  const bool always = std::ranges::all_of(messages, [](const UpstreamMessage& one) {
    const bool issues = one.answer_body == "ip" || one.answer_body == "cp" ||
                        one.answer_body == "kup" || one.answer_body == "ccp";
    return one.body != "pollReq" || !issues || one.implicit;
  });
  return always && std::ranges::any_of(messages, &UpstreamMessage::implicit);
}

Outcome<Answer> confirm_here(const Request& request, const Transaction& transaction,
                             const std::vector<UpstreamMessage>& messages,
                             const ChannelPolicies& channels, Services& services) {
  const auto& certConf = std::get<body::certConf>(request.message.body);
  std::vector<TransactionCertificate> refused;
  for (const auto& status : certConf.statuses) {
    if (is_accepted(status)) TRY(check_hash(status, transaction, services));
  }
  for (const auto& issued : transaction.certificates) {
    const auto status =
        std::ranges::find(certConf.statuses, issued.certReqId, &CertStatus::certReqId);
    if (status == certConf.statuses.end() || !is_accepted(*status)) refused.push_back(issued);
  }
  Answer answer;
  answer.body = body::pkiconf{};
  answer.outcome = refused.empty() ? "confirmed" : "refused by the requester";
  TRY(note_confirmation(transaction, certConf, request.now, services, answer.effects));
  ASSIGN_OR_RETURN(auto refusal, refusal_by_rr(refused, transaction, services));
  ASSIGN_OR_RETURN(auto up, sent(std::move(refusal), messages, request.message.header.pvno,
                                 request.now, channels, services));
  answer.effects.merge(std::move(up));
  return answer;
}

Result<Effects> refuse_above(const Transaction& all, const std::vector<UpstreamMessage>& messages,
                             std::int64_t pvno, Time now, const ChannelPolicies& channels,
                             Services& services) {
  const bool ours = !messages.empty() && answers_are_ours(messages.front().mode);
  if (!ours || all.is_settled()) return Effects();
  auto transaction = all;
  std::erase_if(transaction.certificates, &TransactionCertificate::settled);
  const bool sent_before =
      std::ranges::find(messages, "certConf", &UpstreamMessage::body) != messages.end();
  ASSIGN_OR_RETURN(auto refusal,
                   confirmed_above(messages) || sent_before
                       ? refusal_by_rr(transaction.certificates, transaction, services)
                       : refusal_by_certConf(transaction, services));
  ASSIGN_OR_RETURN(auto effects, sent(std::move(refusal), messages, pvno, now, channels, services));
  TRY(note_confirmation(transaction, body::certConf{}, now, services, effects));
  return effects;
}

}  // namespace cmpost
