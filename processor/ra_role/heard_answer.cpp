#include "processor/ra_role/heard_answer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <set>

#include "processor/admission/revocation_reason.h"
#include "processor/rights/holder_to_be.h"
#include "processor/transaction/audit_detail.h"

namespace cmpost {
namespace {

// The answers to a body, but error and, of what waits, pollRep.
std::string_view answer_to(std::string_view body) {
  using Pair = std::pair<std::string_view, std::string_view>;
  constexpr std::array kAnswers = {Pair{"ir", "ip"},   Pair{"cr", "cp"},    Pair{"p10cr", "cp"},
                                   Pair{"kur", "kup"}, Pair{"ccr", "ccp"},  Pair{"krr", "krp"},
                                   Pair{"rr", "rp"},   Pair{"genm", "genp"}};
  const auto found = std::ranges::find(kAnswers, body, &Pair::first);
  return found == kAnswers.end() ? std::string_view("pkiconf") : found->second;
}

// The key that is asked for in the part `certReqId`; empty where the CA makes it.
ByteView wanted_key(const PKIBody& question, std::int64_t certReqId) {
  if (const auto* p10cr = std::get_if<body::p10cr>(&question)) return p10cr->request.spki.der;
  const auto* requests = cert_requests(question);
  if (requests == nullptr) return {};
  const auto found = std::ranges::find(*requests, certReqId,
                                       [](const CertReqMsg& one) { return one.certReq.certReqId; });
  if (found == requests->end()) return {};
  const auto& key = found->certReq.certTemplate.publicKey;
  return key && !key->key.empty() ? ByteView(key->der) : ByteView();
}

CertificateRecord record_of(const Certificate& certificate, const Heard& heard, bool awaits) {
  return passing_record(
      certificate, {heard.question, heard.transaction, heard.requester, heard.answer.now}, awaits);
}

// That the ledger has it, of this issuer.
Result<std::optional<CertificateRecord>> find_record(const CertTemplate& details,
                                                     LedgerReader& ledger) {
  if (!details.serialNumber) return std::nullopt;
  ASSIGN_OR_RETURN(auto record, ledger.find(*details.serialNumber));
  if (!record) return std::nullopt;
  ASSIGN_OR_RETURN(const auto certificate, Certificate::from_der(record->der));
  if (details.issuer && !certificate.issuer().same(*details.issuer)) return std::nullopt;
  return record;
}

void revoke(const Bytes& serial, CRLReason reason, Time now, std::string_view why,
            Effects& effects) {
  effects.revocations.push_back({serial, reason, now, {}});
  effects.audit.push_back(revoked_entry(effects.revocations.back(), why));
}

void note_revocation(const CertificateRecord& record, CRLReason reason, Time now,
                     Effects& effects) {
  if (reason == CRLReason::removeFromCRL) {
    if (record.state != CertificateState::held) return;
    effects.unrevocations.push_back(record.serial);
    effects.audit.push_back(
        released_entry(record.serial, record.held_from.value_or(CertificateState::valid)));
    return;
  }
  const bool held = record.state == CertificateState::held;
  const bool again = held && reason == CRLReason::certificateHold;
  if (record.state == CertificateState::revoked || again) return;
  revoke(record.serial, reason, now, "revoked by the CA", effects);
}

bool is_waiting(const PKIStatusInfo& status) { return status.status == PKIStatus::waiting; }

std::optional<Rejection> rejection_in(const PKIStatusInfo& status) {
  if (is_granted(status) || is_waiting(status)) return std::nullopt;
  auto bit = PKIFailureInfo::systemFailure;
  if (status.failInfo && *status.failInfo != 0) {
    bit = static_cast<PKIFailureInfo>(std::countr_zero(*status.failInfo));
  }
  std::string text = "refused by the CA";
  for (const auto& one : status.statusString) text += ": " + printable(one, 200);
  return Rejection{bit, std::move(text)};
}

}  // namespace

tl::unexpected<Rejection> unfit(std::string text) {
  return reject(PKIFailureInfo::systemFailure,
                "the answer of the CA does not fit: " + std::move(text));
}

const CMPCertificate* certificate_in(const CertResponse& response) {
  if (!response.certifiedKeyPair) return nullptr;
  return std::get_if<CMPCertificate>(&response.certifiedKeyPair->certOrEncCert.choice);
}

CertificateRecord passing_record(const Certificate& certificate, const AnsweredQuestion& asked,
                                 bool awaits) {
  const auto& question = asked.question;
  CertificateRecord record;
  record.serial = to_bytes(certificate.serial_number());
  record.der = to_bytes(certificate.der());
  record.subject = certificate.subject_text();
  auto named = question.wishes.certProfile;
  if (named.empty() && asked.requester != nullptr && asked.requester->rights.by_row) {
    named = asked.requester->rights.profiles;
  }
  const auto* profile = question.channel->profile(named.empty() ? "" : named.front());
  record.profile = profile != nullptr ? profile->name() : question.channel->profiles.front().name();
  record.channel = question.channel->settings.name;
  record.requester = asked.transaction.requester;
  record.tid = to_hex(asked.transaction.transactionID);
  record.issued = asked.now;
  record.not_after = certificate.not_after();
  record.state = awaits ? CertificateState::unconfirmed : CertificateState::valid;
  if (asked.requester != nullptr) record.holder = holder_to_note(*asked.requester, certificate);
  return record;
}

bool is_accepted(const CertStatus& status) {
  return !status.statusInfo || status.statusInfo->status == PKIStatus::accepted;
}

std::optional<Bytes> nonce_from_above(const std::vector<UpstreamMessage>& messages) {
  for (auto one = messages.rbegin(); one != messages.rend(); ++one) {
    if (!one->answer_nonce.empty()) return one->answer_nonce;
  }
  return std::nullopt;
}

Checked<void> check_answers(const UpstreamMessage& asked, const PKIBody& question,
                            const PKIBody& answer) {
  const auto body = body_name(answer);
  const bool poll = asked.body == "pollReq";
  if (body == "error" || (poll && body == "pollRep")) return {};
  // What polls get is the answer to what has opened the transaction, or to its certConf.
  const auto wanted = answer_to(poll ? body_name(question) : std::string_view(asked.body));
  if (body != wanted && !(poll && body == "pkiconf")) {
    return unfit("it is " + std::string(body) + " to " + asked.body);
  }
  return {};
}

bool says_waiting(const PKIBody& answer) {
  if (std::holds_alternative<body::pollRep>(answer)) return true;
  if (const auto* error = std::get_if<body::error>(&answer)) {
    return is_waiting(error->content.pKIStatusInfo);
  }
  if (const auto* krp = std::get_if<body::krp>(&answer)) return is_waiting(krp->content.status);
  const auto* content = cert_response(answer);
  return content != nullptr && std::ranges::any_of(content->response, [](const CertResponse& one) {
           return is_waiting(one.status);
         });
}

std::chrono::seconds check_after(const PKIBody& answer, std::chrono::seconds otherwise) {
  constexpr std::int64_t kMost = 0x7fffffff;
  const auto* pollRep = std::get_if<body::pollRep>(&answer);
  if (pollRep == nullptr) return otherwise;
  constexpr std::chrono::seconds kSoonest(10);  // unless we are told to ask sooner
  std::int64_t wait = std::min(otherwise, kSoonest).count();
  for (const auto& one : pollRep->responses) wait = std::max(wait, one.checkAfter);
  return std::chrono::seconds(std::min(wait, kMost));
}

std::optional<Rejection> refusal_in(const PKIBody& answer) {
  if (const auto* error = std::get_if<body::error>(&answer)) {
    return rejection_in(error->content.pKIStatusInfo);
  }
  std::optional<Rejection> refused;
  if (const auto* content = cert_response(answer)) {
    for (const auto& one : content->response) {
      if (auto rejection = rejection_in(one.status)) refused = std::move(rejection);
    }
  } else if (const auto* rp = std::get_if<body::rp>(&answer)) {
    for (const auto& one : rp->content.status) {
      if (auto rejection = rejection_in(one)) refused = std::move(rejection);
    }
  }
  return refused;
}

Result<std::optional<CertificateRecord>> noted(const TransactionCertificate& issued,
                                               const Transaction& transaction, Services& services) {
  ASSIGN_OR_RETURN(auto record, services.ledger.find(issued.serial));
  if (record && record->tid != to_hex(transaction.transactionID)) return std::nullopt;
  return record;
}

Outcome<void> note_certificates(const Heard& heard, Answer& answer) {
  const auto* content = cert_response(answer.body);
  if (content == nullptr) return {};
  const auto& question = heard.question.message.body;
  const bool silence = heard.question.channel->settings.unconfirmed == UnconfirmedRule::keep;
  for (const auto& response : content->response) {
    if (!response.certifiedKeyPair) continue;
    const auto* der = certificate_in(response);
    if (der == nullptr) {
      // Encrypted: only its requester can see it, and says so by certConf.
      answer.certificates.push_back({response.certReqId, {}, false});
      continue;
    }
    auto certificate = Certificate::from_der(der->der);
    if (!certificate) return unfit("its certificate cannot be read: " + certificate.error().what);
    const auto key = wanted_key(question, response.certReqId);
    if (!key.empty() && !equal(certificate->spki(), key)) {
      return unfit("its certificate has another key than the request");
    }
    answer.certificates.push_back(
        {response.certReqId, to_bytes(certificate->serial_number()), false});
    answer.effects.passing.push_back(
        record_of(*certificate, heard, !answer.implicitConfirm && !silence));
  }
  answer.partly = answer.refused && (!answer.certificates.empty() || !answer.undecided.empty());
  return {};
}

void give_back(const Request& question, const Requester* requester, Answer& answer) {
  const auto* holder = requester == nullptr ? nullptr : requester->secret();
  if (holder == nullptr || !answer.refused) return;
  const auto& body = question.message.body;
  const auto* requests = cert_requests(body);
  std::size_t asked = requests != nullptr ? requests->size() : 0;
  if (std::holds_alternative<body::p10cr>(body)) asked = 1;
  const auto got = answer.certificates.size();
  if (got >= asked) return;
  answer.effects.use_secret = SecretUse{holder->secret.reference, holder->secret.identity,
                                        -static_cast<std::int64_t>(asked - got)};
}

Result<void> note_revocations(const PKIBody& question, const PKIBody& answer, Time now,
                              Services& services, Effects& effects) {
  const auto* rr = std::get_if<body::rr>(&question);
  const auto* rp = std::get_if<body::rp>(&answer);
  if (rr == nullptr || rp == nullptr) return {};
  std::set<Bytes> seen;
  const auto count = std::min(rr->details.size(), rp->content.status.size());
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_granted(rp->content.status[i])) continue;
    ASSIGN_OR_RETURN(const auto record, find_record(rr->details[i].certDetails, services.ledger));
    if (!record || !seen.insert(record->serial).second) continue;
    // It was read before it went up.
    const auto reason = reason_of(rr->details[i]).value_or(CRLReason::unspecified);
    note_revocation(*record, reason, now, effects);
  }
  return {};
}

Result<void> note_renewed(const Transaction& transaction,
                          const std::vector<TransactionCertificate>& successors, Services& services,
                          Effects& effects) {
  if (transaction.old_serial.empty()) return {};
  const bool same = std::ranges::any_of(
      successors, [&](const auto& one) { return one.serial == transaction.old_serial; });
  if (same) return {};
  ASSIGN_OR_RETURN(const auto old, services.ledger.find(transaction.old_serial));
  const bool counts =
      old && (old->state == CertificateState::valid || old->state == CertificateState::unconfirmed);
  if (!counts) return {};
  effects.state_changes.push_back(
      {transaction.old_serial, {old->state}, CertificateState::updated});
  return {};
}

Result<void> note_confirmation(const Transaction& transaction, const body::certConf& certConf,
                               Time now, Services& services, Effects& effects) {
  bool accepted = false;
  for (const auto& one : transaction.certificates) {
    ASSIGN_OR_RETURN(const auto record, noted(one, transaction, services));
    const auto status = std::ranges::find(certConf.statuses, one.certReqId, &CertStatus::certReqId);
    const bool taken = status != certConf.statuses.end() && is_accepted(*status);
    accepted = accepted || taken;
    if (!record || record->state != CertificateState::unconfirmed) continue;
    if (taken) {
      effects.state_changes.push_back(
          {one.serial, {CertificateState::unconfirmed}, CertificateState::valid});
    } else {
      revoke(one.serial, CRLReason::cessationOfOperation, now,
             "refused by the requester in certConf", effects);
    }
  }
  if (!accepted) return {};
  return note_renewed(transaction, transaction.certificates, services, effects);
}

}  // namespace cmpost
