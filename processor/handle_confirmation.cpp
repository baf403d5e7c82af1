#include <algorithm>

#include "cmp/protection.h"
#include "processor/audit_detail.h"
#include "processor/handlers.h"
#include "processor/renewal.h"

namespace cmpost {
namespace {

const TransactionCertificate* find(const Transaction& transaction, std::int64_t certReqId) {
  const auto found =
      std::ranges::find(transaction.certificates, certReqId, &TransactionCertificate::certReqId);
  return found == transaction.certificates.end() ? nullptr : &*found;
}

// as many statuses as certificates, each about one of them. An empty list refuses
// all.
Checked<void> check_statuses(const std::vector<CertStatus>& statuses,
                             const Transaction& transaction) {
  if (statuses.empty()) return {};
  if (statuses.size() != transaction.certificates.size()) {
    return reject(PKIFailureInfo::badRequest,
                  "certConf is not about all certificates of the answer");
  }
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    const auto& status = statuses[i];
    if (find(transaction, status.certReqId) == nullptr) {
      return reject(PKIFailureInfo::badRequest,
                    "certConf names certReqId " + std::to_string(status.certReqId));
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (statuses[j].certReqId == status.certReqId) {
        return reject(PKIFailureInfo::badRequest, "certConf names a certReqId twice");
      }
    }
    if (!status.statusInfo) continue;
    const bool accepted = status.statusInfo->status == PKIStatus::accepted;
    if (!accepted && status.statusInfo->status != PKIStatus::rejection) {
      return reject(PKIFailureInfo::badRequest, "certConf neither accepts nor rejects");
    }
    if (accepted && status.statusInfo->failInfo) {
      return reject(PKIFailureInfo::badRequest, "certConf accepts with a failInfo");
    }
  }
  return {};
}

bool is_accepted(const CertStatus& status) {
  return !status.statusInfo || status.statusInfo->status == PKIStatus::accepted;
}

//
Outcome<void> check_hash(const CertStatus& status, const TransactionCertificate& issued,
                         const Request& request, Services& services) {
  if (status.hashAlg && request.message.header.pvno < kCmp2021) {
    return reject(
        request.channel->settings.strict ? PKIFailureInfo::badCertId : PKIFailureInfo::badRequest,
        "hashAlg needs pvno 3");
  }
  ASSIGN_OR_RETURN(const auto record, services.ledger.find(issued.serial));
  if (!record) return hold("the ledger has lost certificate " + to_hex(issued.serial));
  if (record->state == CertificateState::revoked) {
    return reject(PKIFailureInfo::certRevoked, "the certificate has been revoked meanwhile");
  }
  const auto certificate = Certificate::from_der(record->der);
  if (!certificate) return failure(certificate.error());
  ASSIGN_OR_RETURN(const auto expected, cert_hash(*certificate, status.hashAlg));
  if (expected == status.certHash) return {};
  return reject(PKIFailureInfo::badCertId, "certHash is not that of the certificate");
}

StateChange confirm(const TransactionCertificate& issued) {
  return {issued.serial, {CertificateState::unconfirmed}, CertificateState::valid};
}

Effects withdraw_one(const Bytes& serial, std::string_view why, Time now) {
  Effects effects;
  effects.revocations.push_back({serial, CRLReason::cessationOfOperation, now, {}});
  effects.audit.push_back(revoked_entry(effects.revocations.back(), why));
  return effects;
}

// What is revoked already stays that.
Outcome<Effects> refuse_one(const Bytes& serial, Time now, Services& services) {
  ASSIGN_OR_RETURN(const auto record, services.ledger.find(serial));
  if (record && record->state == CertificateState::revoked) return Effects{};
  return withdraw_one(serial, "refused by the requester in certConf", now);
}

Outcome<Effects> accept_and_refuse(const std::vector<CertStatus>& statuses,
                                   const Transaction& transaction, Time now, Services& services) {
  Effects effects;
  bool any_accepted = false;
  for (const auto& issued : transaction.certificates) {
    const auto status = std::ranges::find(statuses, issued.certReqId, &CertStatus::certReqId);
    if (status != statuses.end() && is_accepted(*status)) {
      effects.state_changes.push_back(confirm(issued));
      any_accepted = true;
    } else {
      ASSIGN_OR_RETURN(auto refused, refuse_one(issued.serial, now, services));
      effects.merge(std::move(refused));
    }
  }
  if (any_accepted && !transaction.old_serial.empty()) {
    effects.state_changes.push_back(mark_updated({transaction.old_serial, false}));
  }
  return effects;
}

// Also one that was put on hold before its requester has confirmed it.
bool is_unconfirmed(const CertificateRecord& record) {
  return record.state == CertificateState::unconfirmed ||
         (record.state == CertificateState::held &&
          record.held_from == CertificateState::unconfirmed);
}

}  // namespace

Outcome<Effects> withdraw(const Transaction& transaction, std::string_view why, Time now,
                          Services& services) {
  Effects effects;
  for (const auto& issued : transaction.certificates) {
    ASSIGN_OR_RETURN(const auto record, services.ledger.find(issued.serial));
    if (record && is_unconfirmed(*record)) {
      effects.merge(withdraw_one(issued.serial, why, now));
    }
  }
  return effects;
}

Outcome<Answer> handle_certConf(const Request& request, const Requester&,
                                const Transaction& transaction, Services& services) {
  const auto& statuses = std::get<body::certConf>(request.message.body).statuses;
  TRY(check_statuses(statuses, transaction));
  for (const auto& status : statuses) {
    if (!is_accepted(status)) continue;
    TRY(check_hash(status, *find(transaction, status.certReqId), request, services));
  }
  Answer answer;
  ASSIGN_OR_RETURN(answer.effects, accept_and_refuse(statuses, transaction, request.now, services));
  const bool all = !statuses.empty() && std::ranges::all_of(statuses, is_accepted);
  answer.outcome = all ? "confirmed" : "refused by the requester";
  answer.body = body::pkiconf{};
  return answer;
}

Outcome<Answer> handle_error(const Request& request, const Requester&,
                             const Transaction& transaction, Services& services) {
  Answer answer;
  ASSIGN_OR_RETURN(answer.effects,
                   withdraw(transaction, "error message of the requester", request.now, services));
  answer.outcome = "ended by an error message of the requester";
  answer.body = body::pkiconf{};
  return answer;
}

}  // namespace cmpost
