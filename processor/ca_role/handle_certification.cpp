#include <algorithm>
#include <map>

#include "processor/admission/message_audit.h"
#include "processor/ca_role/consent_words.h"
#include "processor/ca_role/cross_certification.h"
#include "processor/ca_role/encrypted_delivery.h"
#include "processor/ca_role/handlers.h"
#include "processor/ca_role/renewal.h"
#include "processor/credentials/secret_store.h"
#include "processor/possession/challenge.h"
#include "processor/possession/proof_of_possession.h"
#include "processor/transaction/audit_detail.h"

namespace cmpost {
namespace {

constexpr const char* kRenewedBefore =
    "warning: the certificate that this one replaces has been renewed before";

// who proves possession by the confirmation cannot be let off it.
bool proves_by_certificate(const PKIBody& body) {
  const auto* requests = cert_requests(body);
  return requests != nullptr && std::ranges::any_of(*requests, [](const CertReqMsg& message) {
           if (!message.popo) return false;
           const auto* encipherment = std::get_if<KeyEncipherment>(&*message.popo);
           const auto* agreement = std::get_if<KeyAgreement>(&*message.popo);
           if (encipherment == nullptr && agreement == nullptr) return false;
           const auto& choice =
               encipherment != nullptr ? encipherment->key.choice : agreement->key.choice;
           const auto* later = std::get_if<POPOPrivKey::SubsequentMessage>(&choice);
           return later != nullptr && *later == POPOPrivKey::SubsequentMessage::encrCert;
         });
}

// Everything but possession: nobody is challenged for, or asked about, what cannot be granted.
Outcome<void> check_grantable(const ProvenRequest& proven, const Request& request,
                              const Requester& requester, CaServices& services,
                              std::size_t granted = 0) {
  TRY(authorise(proven, request, requester, granted));
  ASSIGN_OR_RETURN(const auto* const profile, pick_profile(proven.certProfile, *request.channel));
  return check_issuable(proven, *profile, request, requester, services);
}

using Proofs = std::vector<Checked<ProvenRequest>>;

// popdecc, if any of the requests can be granted once its key is proven; the whole message
// is answered after that.
Outcome<std::optional<Answer>> ask_for_proof(const Proofs& proofs,
                                             const std::optional<Renewal>& renewal,
                                             const Request& request, const Requester& requester,
                                             CaServices& services) {
  bool worth_while = false;
  for (const auto& proof : proofs) {
    if (!proof || !proof->by_challenge) continue;
    ASSIGN_OR_RETURN(const auto checked,
                     apart(check_grantable(*proof, request, requester, services)));
    worth_while = worth_while || checked.has_value();
  }
  if (!worth_while) return std::nullopt;
  Answer answer;
  ASSIGN_OR_RETURN(answer.body, challenge(challenged_keys(request), request, requester, services));
  answer.challenges = true;
  if (renewal) {
    answer.old_serial = renewal->old_serial;
    answer.effects.open_renewals = renewal->open_renewals;
  }
  answer.outcome = "possession of the key is to be proven";
  return answer;
}

// Builds up the answer to all requests of one message.
class Certification {
 public:
  Certification(const Request& request, const Requester& requester, CaServices& services)
      : request_(request), requester_(requester), services_(services) {
    const bool wanted = request.wishes.implicitConfirm;
    const bool allowed = request.channel->settings.confirm == ConfirmRule::implicit;
    answer_.implicitConfirm =
        wanted && allowed && is_complete(request) && !proves_by_certificate(request.message.body);
  }

  // Before anything is granted, for each request of the message: what people have to say about what
  // would be.
  Outcome<void> judge(std::int64_t certReqId, const Checked<ProvenRequest>& proven,
                      const std::optional<Renewal>& renewal) {
    const auto before = consent_for(request_, certReqId).what;
    const bool asked = before == Consent::What::needed || before == Consent::What::agreed;
    if (!asked || !proven) return {};
    ASSIGN_OR_RETURN(const auto object, apart(describe(*proven, renewal)));
    Judged judged{certReqId, {}, {}};
    if (object) {
      judged.object = *object;
      judged.consent = consent_to(request_, certReqId, *object);
    } else {
      judged.consent = {Consent::What::refused, object.error()};
    }
    // Some of it comes later, unlike what is_complete() had to believe.
    if (judged.consent.what == Consent::What::needed) answer_.implicitConfirm = false;
    judged_.push_back(std::move(judged));
    return {};
  }

  // One CertResponse; an Error of ours is handed on, a Rejection becomes its status.
  Outcome<void> add(std::int64_t certReqId, const Checked<ProvenRequest>& proven,
                    const std::optional<Renewal>& renewal) {
    const auto* judged = find_judged(certReqId);
    const auto consent = judged != nullptr ? judged->consent : consent_for(request_, certReqId);
    if (consent.what == Consent::What::settled || consent.what == Consent::What::pending) return {};
    if (consent.rejection) return add_rejection(certReqId, *consent.rejection);
    if (!proven) return add_rejection(certReqId, proven.error());
    if (consent.what != Consent::What::granted) return ask_for(*proven, judged, renewal);
    ASSIGN_OR_RETURN(auto issued, apart(decide(*proven)));
    if (issued && judged != nullptr) {
      issued->effects.audit.push_back(
          granted_entry(request_, certReqId, judged->object, issued->certificate.serial_number()));
    }
    if (issued) return add_certificate(certReqId, *proven, std::move(*issued), renewal);
    return add_rejection(certReqId, issued.error());
  }

  Outcome<void> add_rejection(std::int64_t certReqId, const Rejection& rejection) {
    // A part that has its answer keeps it, whatever is wrong with the whole by now.
    if (consent_for(request_, certReqId).what == Consent::What::settled) return {};
    answer_.refuse(rejection);
    auto status = status_of_many(rejection, responses_.size());
    responses_.push_back({certReqId, std::move(status), std::nullopt, std::nullopt});
    return {};
  }

  template <typename Body>
  Answer finish() && {
    const bool issued = !answer_.certificates.empty();
    answer_.implicitConfirm = answer_.implicitConfirm && issued;
    answer_.awaits_confirm = issued && !answer_.implicitConfirm;
    if (const auto* holder = requester_.secret(); holder != nullptr && issued) {
      answer_.effects.use_secret = SecretUse{
          holder->secret.reference, static_cast<std::int64_t>(answer_.certificates.size())};
    }
    answer_.outcome = answer_.undecided.empty() ? "accepted" : "waits for approval";
    answer_.partly = answer_.refused && (issued || !answer_.undecided.empty());
    answer_.body = Body{{ca_pubs(issued, std::is_same_v<Body, body::ip>), std::move(responses_)}};
    return std::move(answer_);
  }

 private:
  // implicit confirmation is for the whole message; where some of it comes later, each part
  // is confirmed by itself.
  static bool is_complete(const Request& request) {
    if (request.waited == nullptr)
      return request.channel->approvals(body_name(request.message.body)) == 0;
    return std::ranges::all_of(request.waited->parts, [&](const WaitingPart& part) {
      const auto what = consent_for(request, part.certReqId).what;
      return what == Consent::What::agreed || what == Consent::What::refused;
    });
  }

  // Where silence is acceptance, nothing has to be waited for, but for who is to prove possession
  // by certConf.
  bool counts_at_once() const {
    const bool silence = request_.channel->settings.unconfirmed == UnconfirmedRule::keep;
    return answer_.implicitConfirm || (silence && !proves_by_certificate(request_.message.body));
  }

  // What people have to say about one request.
  struct Judged {
    std::int64_t certReqId = 0;
    Consent consent;
    ConsentObject object;
  };
  const Judged* find_judged(std::int64_t certReqId) const {
    const auto found = std::ranges::find(judged_, certReqId, &Judged::certReqId);
    return found == judged_.end() ? nullptr : &*found;
  }

  // Of a right to a number of certificates so many are spoken for in this message.
  std::size_t asked_for() const {
    return static_cast<std::size_t>(std::ranges::count_if(judged_, [](const Judged& judged) {
      return judged.consent.what != Consent::What::refused;
    }));
  }

  // What would be granted; a Rejection where nothing would.
  Outcome<ConsentObject> describe(const ProvenRequest& proven,
                                  const std::optional<Renewal>& renewal) {
    TRY(check_grantable(proven, request_, requester_, services_, asked_for()));
    ASSIGN_OR_RETURN(const auto* const profile,
                     pick_profile(proven.certProfile, *request_.channel));
    auto object = begin_object(request_, requester_);
    if (renewal) object.add("renews", to_hex(renewal->old_serial), renewal->old_serial);
    TRY(describe_certificate(proven, *profile, request_, requester_, services_, object));
    return object;
  }

  void note(const Renewal& renewal) {
    answer_.old_serial = renewal.old_serial;
    answer_.effects.open_renewals = renewal.open_renewals;
  }

  Outcome<void> ask_for(const ProvenRequest& proven, const Judged* judged,
                        const std::optional<Renewal>& renewal) {
    if (judged == nullptr) return hold("a request waits that nobody has described");
    answer_.undecided.push_back(
        ask_people(request_, proven.certReqId, proven.wish.subject.text(), judged->object));
    if (renewal) note(*renewal);
    responses_.push_back(waiting_response(proven.certReqId));
    return {};
  }

  // What a right to a number of certificates has been spent on in this message.
  std::size_t granted() const { return answer_.certificates.size() + answer_.undecided.size(); }

  Outcome<Issued> decide(const ProvenRequest& proven) {
    TRY(authorise(proven, request_, requester_, granted()));
    ASSIGN_OR_RETURN(const auto* const profile,
                     pick_profile(proven.certProfile, *request_.channel));
    if (proven.by_challenge) {
      TRY(check_issuable(proven, *profile, request_, requester_,
                         services_));  // says what is wrong with it
      return reject(PKIFailureInfo::badPOP, "possession of the key has not been proven");
    }
    return issue(proven, *profile, !counts_at_once(), request_, requester_, services_,
                 answer_.effects.certificates);
  }

  // As it is, or as only who has the key can read it; with the key, if we have made it.
  Outcome<CertifiedKeyPair> key_pair(const ProvenRequest& proven, const Certificate& certificate) {
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

  Outcome<void> add_certificate(std::int64_t certReqId, const ProvenRequest& proven,
                                Issued&& issued, const std::optional<Renewal>& renewal) {
    ASSIGN_OR_RETURN(auto pair, key_pair(proven, issued.certificate));
    PKIStatusInfo status;
    if (issued.with_changes) {
      status.status = PKIStatus::grantedWithMods;
      status.statusString = std::move(issued.changes);
    }
    // RFC 9483 4.1.1 knows no keyUpdateWarning, and no known client takes a certificate that has
    // it.
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

  // only in ip, and only to somebody who has no anchor of ours yet: one that shares a
  // secret. Who signs with a certificate that we trust must learn ours in another way.
  std::optional<std::vector<CMPCertificate>> ca_pubs(bool issued, bool is_ip) const {
    if (!issued || !is_ip || requester_.secret() == nullptr) return std::nullopt;
    const auto& root = services_.authority.ca_chain.back();
    return std::vector<CMPCertificate>{root};
  }

  const Request& request_;
  const Requester& requester_;
  CaServices& services_;
  Answer answer_;
  std::vector<CertResponse> responses_;
  std::vector<Judged> judged_;
};

// how many there are and how they are numbered; a fault here concerns all of them.
Checked<void> check_numbering(const CertReqMessages& messages, const ChannelPolicy& channel,
                              std::size_t allowed) {
  if (channel.settings.strict) allowed = 1;
  if (messages.size() > allowed) {
    return reject(PKIFailureInfo::badRequest, "there are " + std::to_string(messages.size()) +
                                                  " requests in one message and " +
                                                  std::to_string(allowed) + " allowed");
  }
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (messages[i].certReq.certReqId != static_cast<std::int64_t>(i)) {
      return reject(PKIFailureInfo::badRequest, "certReqId does not count from 0");
    }
  }
  return {};
}

std::size_t allowed_requests(const ChannelPolicy& channel) {
  int most = 1;
  for (const auto& profile : channel.profiles)
    most = std::max(most, profile.settings().max_requests);
  return static_cast<std::size_t>(most);
}

// Of one profile no more than it allows itself. What names none that there is is refused later.
Checked<void> check_each_profile(const CertReqMessages& messages, const Request& request) {
  std::map<const Profile*, int> counts;
  for (const auto& message : messages) {
    const auto name = profile_name(request, message.certReq.certReqId);
    const auto* profile = name ? request.channel->profile(*name) : nullptr;
    const int most = profile != nullptr ? profile->settings().max_requests : 0;
    if (profile == nullptr || ++counts[profile] <= most) continue;
    return reject(PKIFailureInfo::badRequest, "one message may have " + std::to_string(most) +
                                                  " requests for the certificate profile " +
                                                  profile->name());
  }
  return {};
}

template <typename Body>
Outcome<Answer> reject_all(Certification&& certification, const CertReqMessages& messages,
                           const Rejection& rejection) {
  for (const auto& message : messages) {
    TRY(certification.add_rejection(message.certReq.certReqId, rejection));
  }
  return std::move(certification).finish<Body>();
}

template <typename Body>
Outcome<Answer> certify(const CertReqMessages& messages, const Request& request,
                        const Requester& requester, CaServices& services) {
  Certification certification(request, requester, services);
  auto numbering = check_numbering(messages, *request.channel, allowed_requests(*request.channel));
  if (numbering) numbering = check_each_profile(messages, request);
  if (!numbering) return reject_all<Body>(std::move(certification), messages, numbering.error());
  Proofs proofs;
  for (const auto& message : messages) {
    ASSIGN_OR_RETURN(auto proof, apart(prove(message, request, requester, services)));
    proofs.push_back(std::move(proof));
  }
  ASSIGN_OR_RETURN(auto popdecc, ask_for_proof(proofs, {}, request, requester, services));
  if (popdecc) return *std::move(popdecc);
  for (std::size_t i = 0; i < proofs.size(); ++i) {
    TRY(certification.judge(messages[i].certReq.certReqId, proofs[i], std::nullopt));
  }
  for (std::size_t i = 0; i < proofs.size(); ++i) {
    TRY(certification.add(messages[i].certReq.certReqId, proofs[i], std::nullopt));
  }
  return std::move(certification).finish<Body>();
}

Outcome<Answer> renew(const CertReqMessages& messages, const Request& request,
                      const Requester& requester, CaServices& services) {
  // R-044; a certificate whose key cannot sign is renewed under the MAC that proves that key.
  if (requester.secret() != nullptr || (request.channel->settings.strict && !requester.signs())) {
    return reject(PKIFailureInfo::wrongIntegrity,
                  "kur is signed with the certificate that it renews");
  }
  Certification certification(request, requester, services);
  const auto numbering = check_numbering(messages, *request.channel, 1);
  if (!numbering)
    return reject_all<body::kup>(std::move(certification), messages, numbering.error());
  ASSIGN_OR_RETURN(const auto prepared,
                   apart(prepare_renewal(messages.front(), request, requester, services)));
  if (!prepared) {
    return reject_all<body::kup>(std::move(certification), messages, prepared.error());
  }
  const Proofs proofs = {prepared->proven};
  ASSIGN_OR_RETURN(auto popdecc,
                   ask_for_proof(proofs, prepared->renewal, request, requester, services));
  if (popdecc) return *std::move(popdecc);
  TRY(certification.judge(0, proofs.front(), prepared->renewal));
  TRY(certification.add(0, proofs.front(), prepared->renewal));
  return std::move(certification).finish<body::kup>();
}

// "only one CertReqMsg allowed", "only signature protection is allowed" (RFC 9810 D.6).
Outcome<Answer> cross_certify(const CertReqMessages& messages, const Request& request,
                              const Requester& requester, CaServices& services) {
  if (!requester.signs()) {
    return reject(PKIFailureInfo::wrongIntegrity, "ccr is protected by a signature");
  }
  Certification certification(request, requester, services);
  const auto numbering = check_numbering(messages, *request.channel, 1);
  if (!numbering) {
    return reject_all<body::ccp>(std::move(certification), messages, numbering.error());
  }
  ASSIGN_OR_RETURN(const auto proven, apart(prepare_cross_certificate(messages.front(), request,
                                                                      requester, services)));
  TRY(certification.judge(0, proven, std::nullopt));
  TRY(certification.add(0, proven, std::nullopt));
  return std::move(certification).finish<body::ccp>();
}

}  // namespace

Outcome<Answer> handle_certification(const Request& request, const Requester& requester,
                                     CaServices& services) {
  const auto& body = request.message.body;
  if (const auto* ir = std::get_if<body::ir>(&body)) {
    return certify<body::ip>(ir->requests, request, requester, services);
  }
  if (const auto* cr = std::get_if<body::cr>(&body)) {
    return certify<body::cp>(cr->requests, request, requester, services);
  }
  if (const auto* ccr = std::get_if<body::ccr>(&body)) {
    return cross_certify(ccr->requests, request, requester, services);
  }
  return renew(std::get<body::kur>(body).requests, request, requester, services);
}

Outcome<Answer> handle_p10cr(const Request& request, const Requester& requester,
                             CaServices& services) {
  // -1 by RFC 9483 4.1.4; some peers know 0 alone.
  const std::int64_t certReqId = request.channel->settings.quirks.p10cr_zero ? 0 : kWholeMessage;
  const auto& wanted = std::get<body::p10cr>(request.message.body).request;
  Certification certification(request, requester, services);
  ASSIGN_OR_RETURN(const auto proven, apart([&]() -> Outcome<ProvenRequest> {
                     ASSIGN_OR_RETURN(auto key, verify_pop(wanted, requester));
                     ASSIGN_OR_RETURN(auto profile, profile_name(request, kWholeMessage));
                     return ProvenRequest{
                         certReqId,
                         CertificateWish{wanted.subject, std::move(key), wanted.extensions, {}, {}},
                         std::move(profile)};
                   }()));
  TRY(certification.judge(certReqId, proven, std::nullopt));
  TRY(certification.add(certReqId, proven, std::nullopt));
  return std::move(certification).finish<body::cp>();
}

}  // namespace cmpost
