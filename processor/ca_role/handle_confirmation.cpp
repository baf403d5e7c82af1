#include <algorithm>
#include <map>

#include "cmp/protection.h"
#include "processor/ca_role/handlers.h"
#include "processor/ca_role/renewal.h"
#include "processor/transaction/audit_detail.h"

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

// What has become of the certificates since they left: by certReqId.
using Records = std::map<std::int64_t, CertificateRecord>;

Outcome<Records> find_records(const Transaction& transaction, CaServices& services) {
  Records records;
  for (const auto& issued : transaction.certificates) {
    ASSIGN_OR_RETURN(auto record, services.ledger.find(issued.serial));
    if (!record) return hold("the ledger has lost certificate " + to_hex(issued.serial));
    records.emplace(issued.certReqId, std::move(*record));
  }
  return records;
}

bool is_on_crl(CertificateState state) {
  return state == CertificateState::revoked || state == CertificateState::held;
}

// RFC 9810 5.3.18: hashAlg "SHALL be omitted" but where the signature algorithm names
// no hash; where it stands all the same, it decides what proves that the right certificate has
// arrived, and a hash of which collisions are known proves nothing.
Checked<void> check_hash_algorithm(const CertStatus& status, const Request& request) {
  if (!status.hashAlg) return {};
  if (request.message.header.pvno < kCmp2021) {
    return reject(
        request.channel->settings.strict ? PKIFailureInfo::badCertId : PKIFailureInfo::badRequest,
        "hashAlg needs pvno 3");
  }
  const auto digest = digest_by_oid(status.hashAlg->algorithm);
  if (digest && is_collision_resistant(*digest)) return {};
  return reject(PKIFailureInfo::badAlg, digest ? "hashAlg is too weak: SHA-2 or SHA-3 is taken"
                                               : "hashAlg is not known here");
}

// After check_hash_algorithm().
Outcome<bool> has_its_hash(const CertStatus& status, const CertificateRecord& record) {
  ASSIGN_OR_RETURN(const auto certificate, Certificate::from_der(record.der));
  ASSIGN_OR_RETURN(const auto expected, cert_hash(certificate, status.hashAlg));
  return expected == status.certHash;
}

// What was revoked or put on hold meanwhile cannot be accepted any more: who hears pkiconf would
// use it.
Checked<void> check_acceptable(const CertificateRecord& record) {
  if (!is_on_crl(record.state)) return {};
  const bool held = record.state == CertificateState::held;
  return reject(PKIFailureInfo::certRevoked, "the certificate " + to_hex(record.serial) +
                                                 (held ? " is on hold" : " has been revoked") +
                                                 " before it was confirmed");
}

StateChange confirm(const TransactionCertificate& issued) {
  return {issued.serial, {CertificateState::unconfirmed}, CertificateState::valid};
}

Effects withdraw_one(const Bytes& serial, std::string_view why, Time now) {
  Effects effects;
  effects.revocations.push_back({serial, CRLReason::cessationOfOperation, now, {}});
  effects.audit.push_back(revoked_entry(effects.revocations.back(), why));
  effects.forgotten_keys.push_back(serial);  // perhaps never proven to be the requester's
  return effects;
}

// Only what is not so already. After check_acceptable().
Effects accept_and_refuse(const std::vector<CertStatus>& statuses, const Transaction& transaction,
                          const Records& records, Time now) {
  Effects effects;
  for (const auto& issued : transaction.certificates) {
    const auto status = std::ranges::find(statuses, issued.certReqId, &CertStatus::certReqId);
    const auto state = records.at(issued.certReqId).state;
    if (status != statuses.end() && is_accepted(*status)) {
      if (state == CertificateState::unconfirmed) effects.state_changes.push_back(confirm(issued));
    } else if (state != CertificateState::revoked) {
      effects.merge(withdraw_one(issued.serial, "refused by the requester in certConf", now));
    }
  }
  return effects;
}

bool any_accepted(const std::vector<CertStatus>& statuses) {
  return std::ranges::any_of(statuses, is_accepted);
}

// Also one that was put on hold in that state.
bool is_or_was(CertificateState state, const CertificateRecord& record) {
  return record.state == state ||
         (record.state == CertificateState::held && record.held_from == state);
}

template <typename Concerned>
Result<Effects> withdraw_where(Concerned concerned, const Transaction& transaction,
                               std::string_view why, Time now, CaServices& services) {
  Effects effects;
  for (const auto& issued : transaction.certificates) {
    ASSIGN_OR_RETURN(const auto record, services.ledger.find(issued.serial));
    if (record && concerned(issued, *record)) {
      effects.merge(withdraw_one(issued.serial, why, now));
    }
  }
  return effects;
}

}  // namespace

Result<Effects> withdraw_unconfirmed(const Transaction& transaction, std::string_view why, Time now,
                                     CaServices& services) {
  const auto unconfirmed = [](const TransactionCertificate&, const CertificateRecord& record) {
    return is_or_was(CertificateState::unconfirmed, record);
  };
  return withdraw_where(unconfirmed, transaction, why, now, services);
}

Result<Effects> withdraw_refused(const Transaction& transaction, std::string_view why, Time now,
                                 CaServices& services) {
  const auto undecided = [](const TransactionCertificate& issued, const CertificateRecord& record) {
    return is_or_was(CertificateState::unconfirmed, record) ||
           (!issued.settled && is_or_was(CertificateState::valid, record));
  };
  return withdraw_where(undecided, transaction, why, now, services);
}

namespace {

// a wrong hash is answered with an error, and the certificate counts as not confirmed. So is
// the acceptance of one that was revoked meanwhile: who hears of an error uses none of them. Every
// other fault of certConf may be mended.
Result<Answer> end_with(const Rejection& rejection, std::string_view why,
                        const Transaction& transaction, Time now, CaServices& services) {
  Answer end = refusal(rejection);
  ASSIGN_OR_RETURN(end.effects, withdraw_refused(transaction, why, now, services));
  return end;
}

}  // namespace

Outcome<Answer> handle_certConf(const Request& request, const Requester&,
                                const Transaction& transaction, CaServices& services) {
  const auto& statuses = std::get<body::certConf>(request.message.body).statuses;
  TRY(check_statuses(statuses, transaction));
  ASSIGN_OR_RETURN(const auto records, find_records(transaction, services));
  for (const auto& status : statuses) {
    if (!is_accepted(status)) continue;
    TRY(check_hash_algorithm(status, request));
    ASSIGN_OR_RETURN(const bool right, has_its_hash(status, records.at(status.certReqId)));
    if (right) continue;
    const Rejection wrong{PKIFailureInfo::badCertId, "certHash is not that of the certificate"};
    ASSIGN_OR_RETURN(auto end,
                     end_with(wrong, "wrong certHash", transaction, request.now, services));
    return end;
  }
  for (const auto& status : statuses) {
    const auto acceptable =
        is_accepted(status) ? check_acceptable(records.at(status.certReqId)) : Checked<void>();
    if (acceptable) continue;
    ASSIGN_OR_RETURN(auto end, end_with(acceptable.error(), "revoked before it was confirmed",
                                        transaction, request.now, services));
    return end;
  }
  Answer answer;
  answer.effects = accept_and_refuse(statuses, transaction, records, request.now);
  if (any_accepted(statuses)) {
    ASSIGN_OR_RETURN(auto retired, retire(transaction, services.ledger));
    answer.effects.merge(std::move(retired));
  }
  answer.outcome = any_accepted(statuses) ? "confirmed" : "refused by the requester";
  answer.body = body::pkiconf{};
  return answer;
}

Outcome<Answer> handle_error(const Request& request, const Requester&,
                             const Transaction& transaction, CaServices& services) {
  Answer answer;
  ASSIGN_OR_RETURN(answer.effects, withdraw_refused(transaction, "error message of the requester",
                                                    request.now, services));
  answer.outcome = "ended by an error message of the requester";
  answer.body = body::pkiconf{};
  return answer;
}

}  // namespace cmpost
