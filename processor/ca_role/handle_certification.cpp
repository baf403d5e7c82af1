#include <algorithm>
#include <map>

#include "processor/ca_role/certification.h"
#include "processor/ca_role/cross_certification.h"
#include "processor/ca_role/handlers.h"
#include "processor/ca_role/renewal.h"
#include "processor/possession/challenge.h"
#include "processor/possession/proof_of_possession.h"

namespace cmpost {
namespace {

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
  // What has waited keeps the one that it was told with.
  const auto* waits = request.waited;
  const std::int64_t certReqId = waits != nullptr && waits->parts.size() == 1
                                     ? waits->parts.front().certReqId
                                 : request.channel->settings.quirks.p10cr_zero ? 0
                                                                               : kWholeMessage;
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
