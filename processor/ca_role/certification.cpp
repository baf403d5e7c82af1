#include "processor/ca_role/certification.h"

#include <algorithm>

#include "processor/admission/message_audit.h"
#include "processor/ca_role/consent_words.h"
#include "processor/ca_role/encrypted_delivery.h"
#include "processor/credentials/secret_store.h"
#include "processor/possession/proof_of_possession.h"
#include "processor/transaction/audit_detail.h"

namespace cmpost {
namespace {

constexpr const char* kRenewedBefore =
    "warning: the certificate that this one replaces has been renewed before";

// implicit confirmation is for the whole message; where some of it comes later, each part
// is confirmed by itself.
bool is_complete(const Request& request) {
  // What rules say is known when each part is judged.
  const bool rules = asks_rules(request);
  if (request.waited == nullptr) {
    return rules || consent_for(request, kWholeMessage).what == Consent::What::granted;
  }
  return std::ranges::all_of(request.waited->parts, [&](const WaitingPart& part) {
    const auto what = consent_for(request, part.certReqId).what;
    return what == Consent::What::agreed || what == Consent::What::refused ||
           what == Consent::What::granted || (rules && what == Consent::What::needed);
  });
}

}  // namespace

Outcome<void> check_grantable(const ProvenRequest& proven, const Request& request,
                              const Requester& requester, CaServices& services,
                              std::size_t granted) {
  TRY(authorise(proven, request, requester, granted));
  ASSIGN_OR_RETURN(const auto* const profile, pick_profile(proven.certProfile, *request.channel));
  return check_issuable(proven, *profile, request, requester, services);
}

Certification::Certification(const Request& request, const Requester& requester,
                             CaServices& services)
    : request_(request), requester_(requester), services_(services) {
  const bool wanted = request.wishes.implicitConfirm;
  const bool allowed = request.channel->settings.confirm == ConfirmRule::implicit;
  answer_.implicitConfirm =
      wanted && allowed && is_complete(request) && !proves_by_certificate(request.message.body);
}

Outcome<void> Certification::judge(std::int64_t certReqId, const Checked<ProvenRequest>& proven,
                                   const std::optional<Renewal>& renewal) {
  const auto before = consent_for(request_, certReqId).what;
  const bool asked = before == Consent::What::needed || before == Consent::What::agreed;
  if (!asked || !proven) return {};
  ASSIGN_OR_RETURN(const auto object, apart(describe(*proven, renewal)));
  Judged judged{certReqId, {}, {}};
  if (object) {
    judged.object = *object;
    ASSIGN_OR_RETURN(judged.consent, consent_about(*proven, *object));
    note_ruling(request_, judged.consent, *object, answer_.effects);
  } else {
    judged.consent = {{Consent::What::refused, object.error()}};
  }
  // Some of it comes later, unlike what is_complete() had to believe.
  if (judged.consent.what == Consent::What::needed) answer_.implicitConfirm = false;
  judged_.push_back(std::move(judged));
  return {};
}

Outcome<void> Certification::add(std::int64_t certReqId, const Checked<ProvenRequest>& proven,
                                 const std::optional<Renewal>& renewal) {
  const auto* judged = find_judged(certReqId);
  const auto consent =
      judged != nullptr ? Consent(judged->consent) : consent_for(request_, certReqId);
  if (consent.what == Consent::What::settled || consent.what == Consent::What::pending) return {};
  if (consent.rejection) return add_rejection(certReqId, *consent.rejection);
  if (!proven) return add_rejection(certReqId, proven.error());
  if (consent.what != Consent::What::granted) return ask_for(*proven, judged, renewal);
  ASSIGN_OR_RETURN(auto issued, apart(decide(*proven)));
  if (issued && judged != nullptr) note_granted(judged->consent, issued->effects);
  if (issued && judged != nullptr && judged->consent.by_people) {
    issued->effects.audit.push_back(
        granted_entry(request_, certReqId, judged->object, issued->certificate.serial_number()));
  }
  if (issued) return add_certificate(certReqId, *proven, std::move(*issued), renewal);
  return add_rejection(certReqId, issued.error());
}

Outcome<void> Certification::add_rejection(std::int64_t certReqId, const Rejection& rejection) {
  // A part that has its answer keeps it, whatever is wrong with the whole by now.
  if (consent_for(request_, certReqId).what == Consent::What::settled) return {};
  answer_.refuse(rejection);
  auto status = status_of_many(rejection, responses_.size());
  responses_.push_back({certReqId, std::move(status), std::nullopt, std::nullopt});
  return {};
}

const Certification::Judged* Certification::find_judged(std::int64_t certReqId) const {
  const auto found = std::ranges::find(judged_, certReqId, &Judged::certReqId);
  return found == judged_.end() ? nullptr : &*found;
}

// Of a right to a number of certificates so many are spoken for in this message.
std::size_t Certification::asked_for() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      judged_, [](const Judged& judged) { return judged.consent.what != Consent::What::refused; }));
}

std::vector<RuleUse> Certification::planned_uses() const {
  std::vector<RuleUse> uses;
  for (const auto& judged : judged_) {
    if (judged.consent.use) uses.push_back(*judged.consent.use);
  }
  return uses;
}

// What is asked of rules and people is what describe() has found grantable.
Result<JudgedConsent> Certification::consent_about(const ProvenRequest& proven,
                                                   const ConsentObject& object) {
  const auto profile = pick_profile(proven.certProfile, *request_.channel);
  const auto plan = profile ? plan_for(proven, **profile, request_, requester_, services_)
                            : Checked<CertificatePlan>(failure(profile.error()));
  if (!plan) return hold("what was described cannot be planned: " + plan.error().text);
  const CertificateToBe wanted{**profile,
                               plan->subject,
                               plan->extensions,
                               proven.generated ? nullptr : &proven.wish.key,
                               plan->notAfter - plan->notBefore,
                               static_cast<std::int64_t>(asked_for())};
  return consent_to(request_, {proven.certReqId, object, requester_, &wanted, planned_uses()},
                    services_);
}

// What would be granted; a Rejection where nothing would.
Outcome<ConsentObject> Certification::describe(const ProvenRequest& proven,
                                               const std::optional<Renewal>& renewal) {
  TRY(check_grantable(proven, request_, requester_, services_, asked_for()));
  ASSIGN_OR_RETURN(const auto* const profile, pick_profile(proven.certProfile, *request_.channel));
  auto object = begin_object(request_, requester_);
  if (renewal) object.add("renews", to_hex(renewal->old_serial), renewal->old_serial);
  TRY(describe_certificate(proven, *profile, request_, requester_, services_, object));
  return object;
}

void Certification::note(const Renewal& renewal) {
  answer_.old_serial = renewal.old_serial;
  answer_.effects.open_renewals = renewal.open_renewals;
}

Outcome<void> Certification::ask_for(const ProvenRequest& proven, const Judged* judged,
                                     const std::optional<Renewal>& renewal) {
  if (judged == nullptr) return hold("a request waits that nobody has described");
  answer_.undecided.push_back(ask_people(request_, proven.certReqId, proven.wish.subject.text(),
                                         judged->object, judged->consent));
  if (renewal) note(*renewal);
  responses_.push_back(waiting_response(proven.certReqId));
  return {};
}

// What a right to a number of certificates has been spent on in this message.
std::size_t Certification::granted() const {
  return answer_.certificates.size() + answer_.undecided.size();
}

Outcome<Issued> Certification::decide(const ProvenRequest& proven) {
  TRY(authorise(proven, request_, requester_, granted()));
  ASSIGN_OR_RETURN(const auto* const profile, pick_profile(proven.certProfile, *request_.channel));
  if (proven.by_challenge) {
    // Says what is wrong with it.
    TRY(check_issuable(proven, *profile, request_, requester_, services_));
    return reject(PKIFailureInfo::badPOP, "possession of the key has not been proven");
  }
  const bool at_once = counts_at_once(request_, answer_.implicitConfirm);
  return issue(proven, *profile, !at_once, request_, requester_, services_,
               answer_.effects.certificates);
}

// As it is, or as only who has the key can read it; with the key, if we have made it.
Outcome<CertifiedKeyPair> Certification::key_pair(const ProvenRequest& proven,
                                                  const Certificate& certificate) {
  CertifiedKeyPair pair{{CMPCertificate{to_bytes(certificate.der())}}, {}, {}};
  if (proven.by_certificate) {
    ASSIGN_OR_RETURN(pair.certOrEncCert.choice,
                     encrypt_certificate(certificate, request_, services_));
  }
  if (proven.generated) {
    ASSIGN_OR_RETURN(pair.privateKey,
                     encrypt_private_key(*proven.generated, requester_, services_));
  }
  return pair;
}

Outcome<void> Certification::add_certificate(std::int64_t certReqId, const ProvenRequest& proven,
                                             Issued&& issued,
                                             const std::optional<Renewal>& renewal) {
  ASSIGN_OR_RETURN(auto pair, key_pair(proven, issued.certificate));
  PKIStatusInfo status;
  if (issued.with_changes) {
    status.status = PKIStatus::grantedWithMods;
    status.statusString = std::move(issued.changes);
  }
  // RFC 9483 4.1.1 knows no keyUpdateWarning, and no known client takes a certificate with it.
  if (renewal && renewal->renewed_before) status.statusString.push_back(kRenewedBefore);
  answer_.certificates.push_back({certReqId, to_bytes(issued.certificate.serial_number())});
  answer_.effects.merge(std::move(issued.effects));
  if (renewal) {
    note(*renewal);
    if (answer_.implicitConfirm) answer_.effects.state_changes.push_back(mark_updated(*renewal));
  }
  responses_.push_back({certReqId, std::move(status), std::move(pair), {}});
  return {};
}

// What holds for the message as a whole.
void Certification::sum_up() {
  answer_.implicitConfirm = answer_.implicitConfirm && issues();
  answer_.awaits_confirm = issues() && !answer_.implicitConfirm;
  if (const auto* holder = requester_.secret(); holder != nullptr && issues()) {
    answer_.effects.use_secret = SecretUse{holder->secret.reference, holder->secret.identity,
                                           static_cast<std::int64_t>(answer_.certificates.size())};
  }
  answer_.outcome = answer_.undecided.empty() ? "accepted" : "waits for approval";
  answer_.partly = answer_.refused && (issues() || !answer_.undecided.empty());
}

// only in ip, and only to somebody who has no anchor of ours yet: one that shares a
// secret. Who signs with a certificate that we trust must learn ours in another way.
std::optional<std::vector<CMPCertificate>> Certification::ca_pubs() const {
  if (!issues() || requester_.secret() == nullptr) return std::nullopt;
  const auto& root = services_.authority.ca_chain.back();
  return std::vector<CMPCertificate>{root};
}

}  // namespace cmpost
