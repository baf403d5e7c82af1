#include <algorithm>

#include "processor/certificate_request.h"
#include "processor/challenge.h"
#include "processor/cross_certification.h"
#include "processor/encrypted_delivery.h"
#include "processor/handlers.h"
#include "processor/proof_of_possession.h"
#include "processor/renewal.h"
#include "processor/secret_store.h"

namespace cmpost {
namespace {

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
                              const Requester& requester, Services& services,
                              std::size_t granted = 0) {
  TRY(authorise(proven, request, requester, granted));
  ASSIGN_OR_RETURN(const auto* const profile, pick_profile(proven.certProfile, *request.channel));
  return check_issuable(proven, *profile, request, services);
}

using Proofs = std::vector<Outcome<ProvenRequest>>;

// popdecc, if any of the requests can be granted once its key is proven; the whole message
// is answered after that.
Outcome<std::optional<Answer>> ask_for_proof(const Proofs& proofs,
                                             const std::optional<Renewal>& renewal,
                                             const Request& request, const Requester& requester,
                                             Services& services) {
  bool worth_while = false;
  for (const auto& proof : proofs) {
    if (!proof || !proof->by_challenge) continue;
    const auto checked = check_grantable(*proof, request, requester, services);
    if (!checked && checked.error().rejection() == nullptr) return failure(checked.error());
    worth_while = worth_while || checked.has_value();
  }
  if (!worth_while) return std::nullopt;
  Answer answer;
  ASSIGN_OR_RETURN(answer.body, challenge(challenged_keys(request), request, requester, services));
  answer.challenges = true;
  if (renewal) answer.old_serial = renewal->old_serial;
  answer.outcome = "possession of the key is to be proven";
  return answer;
}

// Builds up the answer to all requests of one message.
class Certification {
 public:
  Certification(const Request& request, const Requester& requester, Services& services)
      : request_(request), requester_(requester), services_(services) {
    const bool wanted = request.wishes.implicitConfirm;
    const bool allowed = request.channel->settings.confirm == ConfirmRule::implicit;
    answer_.implicitConfirm =
        wanted && allowed && is_complete(request) && !proves_by_certificate(request.message.body);
  }

  // One CertResponse; an Error of ours is handed on, a Rejection becomes its status.
  Outcome<void> add(std::int64_t certReqId, const Outcome<ProvenRequest>& proven,
                    const std::optional<Renewal>& renewal) {
    const auto consent = consent_for(request_, certReqId);
    if (consent.what == Consent::What::settled || consent.what == Consent::What::pending) return {};
    if (consent.rejection) return add_rejection(certReqId, *consent.rejection);
    if (!proven) {
      const auto* rejection = proven.error().rejection();
      if (rejection == nullptr) return failure(proven.error());
      return add_rejection(certReqId, *rejection);
    }
    if (consent.what == Consent::What::needed) return ask_for(*proven, renewal);
    auto issued = decide(*proven);
    if (issued) return add_certificate(certReqId, *proven, std::move(*issued), renewal);
    if (const auto* rejection = issued.error().rejection())
      return add_rejection(certReqId, *rejection);
    return failure(std::move(issued).error());
  }

  Outcome<void> add_rejection(std::int64_t certReqId, const Rejection& rejection) {
    // A part that has its answer keeps it, whatever is wrong with the whole by now.
    if (consent_for(request_, certReqId).what == Consent::What::settled) return {};
    answer_.refuse(rejection);
    responses_.push_back({certReqId, status_info(rejection), std::nullopt, std::nullopt});
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
      return what == Consent::What::granted || what == Consent::What::refused;
    });
  }

  Outcome<void> ask_for(const ProvenRequest& proven, const std::optional<Renewal>& renewal) {
    const auto checked = check_grantable(proven, request_, requester_, services_, granted());
    if (!checked) {
      const auto* rejection = checked.error().rejection();
      if (rejection == nullptr) return failure(checked.error());
      return add_rejection(proven.certReqId, *rejection);
    }
    WaitingPart part;
    part.certReqId = proven.certReqId;
    part.subject = proven.wish.subject.text();
    answer_.undecided.push_back(std::move(part));
    if (renewal) answer_.old_serial = renewal->old_serial;
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
      TRY(check_issuable(proven, *profile, request_, services_));  // says what is wrong with it
      return reject(PKIFailureInfo::badPOP, "possession of the key has not been proven");
    }
    ASSIGN_OR_RETURN(const auto taken, take_uses(proven));
    auto issued =
        issue(proven, *profile, !answer_.implicitConfirm, request_, requester_, services_);
    if (!issued) give_back(taken);
    return issued;
  }

  void give_back(const std::vector<std::string>& taken) {
    for (const auto& one : taken) uses_->give_back(one);
  }

  // What this certificate uses up, of what others of the same commit have left: a use of the
  // secret, one of each token, and, while it is not confirmed, the renewal of the old certificate.
  Outcome<std::vector<std::string>> take_uses(const ProvenRequest& proven) {
    std::vector<std::pair<std::string, std::int64_t>> wanted;
    const auto* holder = requester_.secret();
    if (holder != nullptr && requester_.rights.left) {
      wanted.emplace_back("secret/" + holder->secret.reference, *requester_.rights.left);
    }
    for (const auto& token : proven.tokens) {
      ASSIGN_OR_RETURN(const auto left, SecretStore::left(services_.ledger.connection(), token));
      if (left) wanted.emplace_back("token/" + token, *left);
    }
    if (proven.renews && !answer_.implicitConfirm) {
      wanted.emplace_back("renewal/" + requester_.rights.serial_hex, 1);
    }
    std::vector<std::string> taken;
    for (const auto& [what, left] : wanted) {
      if (uses_->take(what, left)) {
        taken.push_back(what);
        continue;
      }
      give_back(taken);
      return reject(PKIFailureInfo::notAuthorized, "other requests have used up the right to this");
    }
    return taken;
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
    if (renewal && renewal->renewed_before) status.status = PKIStatus::keyUpdateWarning;
    answer_.certificates.push_back({certReqId, to_bytes(issued.certificate.serial_number())});
    answer_.effects.merge(std::move(issued.effects));
    if (renewal) {
      answer_.old_serial = renewal->old_serial;
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
  Services& services_;
  const std::shared_ptr<PlannedUses> uses_ =
      request_.planned_uses ? request_.planned_uses : std::make_shared<PlannedUses>();
  Answer answer_;
  std::vector<CertResponse> responses_;
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
                        const Requester& requester, Services& services) {
  Certification certification(request, requester, services);
  const auto numbering =
      check_numbering(messages, *request.channel, allowed_requests(*request.channel));
  if (!numbering) return reject_all<Body>(std::move(certification), messages, numbering.error());
  Proofs proofs;
  for (const auto& message : messages) {
    proofs.push_back(prove(message, request, requester, services));
  }
  ASSIGN_OR_RETURN(auto popdecc, ask_for_proof(proofs, {}, request, requester, services));
  if (popdecc) return *std::move(popdecc);
  for (std::size_t i = 0; i < proofs.size(); ++i) {
    TRY(certification.add(messages[i].certReq.certReqId, proofs[i], std::nullopt));
  }
  return std::move(certification).finish<Body>();
}

Outcome<Answer> renew(const CertReqMessages& messages, const Request& request,
                      const Requester& requester, Services& services) {
  // R-044; a certificate whose key cannot sign is renewed under the MAC that proves that key.
  if (requester.secret() != nullptr || (request.channel->settings.strict && !requester.signs())) {
    return reject(PKIFailureInfo::wrongIntegrity,
                  "kur is signed with the certificate that it renews");
  }
  Certification certification(request, requester, services);
  const auto numbering = check_numbering(messages, *request.channel, 1);
  if (!numbering)
    return reject_all<body::kup>(std::move(certification), messages, numbering.error());
  auto prepared = prepare_renewal(messages.front(), request, requester, services);
  if (!prepared) {
    const auto* rejection = prepared.error().rejection();
    if (rejection == nullptr) return failure(std::move(prepared).error());
    return reject_all<body::kup>(std::move(certification), messages, *rejection);
  }
  const Proofs proofs = {prepared->proven};
  ASSIGN_OR_RETURN(auto popdecc,
                   ask_for_proof(proofs, prepared->renewal, request, requester, services));
  if (popdecc) return *std::move(popdecc);
  TRY(certification.add(0, proofs.front(), prepared->renewal));
  return std::move(certification).finish<body::kup>();
}

// "only one CertReqMsg allowed", "only signature protection is allowed" (RFC 9810 D.6).
Outcome<Answer> cross_certify(const CertReqMessages& messages, const Request& request,
                              const Requester& requester, Services& services) {
  if (!requester.signs()) {
    return reject(PKIFailureInfo::wrongIntegrity, "ccr is protected by a signature");
  }
  Certification certification(request, requester, services);
  const auto numbering = check_numbering(messages, *request.channel, 1);
  if (!numbering) {
    return reject_all<body::ccp>(std::move(certification), messages, numbering.error());
  }
  TRY(certification.add(
      0, prepare_cross_certificate(messages.front(), request, requester, services), std::nullopt));
  return std::move(certification).finish<body::ccp>();
}

}  // namespace

Outcome<Answer> handle_certification(const Request& request, const Requester& requester,
                                     Services& services) {
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
                             Services& services) {
  constexpr std::int64_t kNoCertReqId = -1;  // RFC 9810 5.3.4
  const auto& wanted = std::get<body::p10cr>(request.message.body).request;
  Certification certification(request, requester, services);
  const auto proven = [&]() -> Outcome<ProvenRequest> {
    ASSIGN_OR_RETURN(auto key, verify_pop(wanted, requester));
    const auto& names = request.wishes.certProfile;
    return ProvenRequest{kNoCertReqId,
                         CertificateWish{wanted.subject, std::move(key), wanted.extensions, {}, {}},
                         names.empty() ? std::string() : names.front()};
  }();
  TRY(certification.add(kNoCertReqId, proven, std::nullopt));
  return std::move(certification).finish<body::cp>();
}

}  // namespace cmpost
