#include "processor/ra_role/judge_request.h"

#include <algorithm>

#include "processor/admission/asked_certificate.h"
#include "processor/admission/revocation_reason.h"
#include "processor/possession/controls.h"
#include "processor/possession/proof_of_possession.h"
#include "processor/rights/taken_key.h"
#include "processor/rights/unchanged.h"
#include "processor/upstream/upstream_table.h"

namespace cmpost {
namespace {

constexpr auto kFarAway = std::chrono::hours(24 * 365 * 100);

struct Wanted {
  std::int64_t certReqId = kWholeMessage;
  Name subject{};
  std::optional<PublicKey> key{};  // nullopt: the CA makes it
  Extensions extensions{};
  std::optional<Time> not_before{}, not_after{};
  std::string certProfile{};
  bool names_profile = false;
  bool renews = false;
  bool by_certificate = false, by_challenge = false;  // possession is proven later
};

// A kur that names no profile keeps that of the certificate.
std::string kept_profile(const Requester& requester) {
  const auto* holder = requester.certificate();
  return holder != nullptr && holder->record ? holder->record->profile : std::string();
}

bool has_key(const CertTemplate& wanted) {
  return wanted.publicKey && !wanted.publicKey->key.empty();
}

Outcome<Wanted> prove(const CertReqMsg& message, const Request& request, const Requester& requester,
                      Services& services) {
  const auto& wanted = message.certReq.certTemplate;
  TRY(check_controls(message, request));
  Wanted result;
  result.certReqId = message.certReq.certReqId;
  ASSIGN_OR_RETURN(result.certProfile, profile_name(request, result.certReqId));
  result.names_profile = !result.certProfile.empty();
  result.renews = std::holds_alternative<body::kur>(request.message.body);
  if (!result.names_profile && result.renews) result.certProfile = kept_profile(requester);
  result.subject = wanted.subject.value_or(Name());
  const auto* holder = requester.certificate();
  if (result.renews && !wanted.subject && holder != nullptr) {
    result.subject = holder->certificate.subject();
  }
  result.extensions = wanted.extensions.value_or(Extensions());
  if (!has_key(wanted)) return result;  // the CA makes it
  ASSIGN_OR_RETURN(auto possession, verify_pop(message, request, requester, services));
  result.by_certificate = possession.by_certificate;
  result.by_challenge = possession.by_challenge;
  result.key = std::move(possession.key);
  if (wanted.validity) {
    result.not_before = wanted.validity->notBefore;
    result.not_after = wanted.validity->notAfter;
  }
  return result;
}

// Whether the profile could make a certificate of it, of a name that the requester may have.
Checked<void> check_plan(const Wanted& wanted, const Profile& profile, const Request& request,
                         const Requester& requester) {
  const CertificateWish wish{wanted.subject, *wanted.key, wanted.extensions, wanted.not_before,
                             wanted.not_after};
  const auto plan = profile.plan(wish, request.now, request.now + kFarAway);
  if (!plan) return failure(to_rejection(plan.error()));
  return check_right(requester.rights,
                     wanted::PlannedCertificate{profile, wanted.subject, *plan, wanted.renews});
}

Checked<void> authorise(const Wanted& wanted, const Request& request, const Requester& requester,
                        std::size_t before) {
  ASSIGN_OR_RETURN(const auto* const profile, pick_profile(wanted.certProfile, *request.channel));
  if (wanted.renews) {
    TRY(check_right(requester.rights,
                    wanted::RenewedCertificate{*profile, wanted.names_profile, wanted.subject,
                                               wanted.extensions, true}));
  } else {
    TRY(check_right(requester.rights,
                    wanted::NewCertificate{request.message.body, *profile, wanted.subject,
                                           wanted.extensions, before, true}));
  }
  TRY(check_unchanged(*profile, wanted.extensions));
  // What has no key yet cannot be planned: its names were looked at above, by themselves.
  if (!wanted.key) return {};
  return check_plan(wanted, *profile, request, requester);
}

void describe(const Wanted& wanted, ConsentObject& object) {
  object.add("subject", wanted.subject.text());
  if (wanted.key) {
    const auto& key = *wanted.key;
    object.add("key", key.description() + ", SHA-256 " + to_hex(sha256(key.spki())));
  } else {
    object.add("key", "made by the CA");
  }
  if (!wanted.certProfile.empty()) object.add("profile", printable(wanted.certProfile, 64));
  for (const auto& extension : wanted.extensions) {
    object.add("extension", extension.extnID.name(), extension.extnValue);
  }
}

Outcome<void> add(const Wanted& wanted, const Request& request, const Requester& requester,
                  Judged& judged) {
  TRY(authorise(wanted, request, requester, judged.certificates));
  ASSIGN_OR_RETURN(const auto* const profile, pick_profile(wanted.certProfile, *request.channel));
  judged.profiles.insert(profile->name());
  ++judged.certificates;
  if (wanted.key) {
    judged.keys.push_back(
        {to_bytes(wanted.key->spki()), wanted.subject, !profile->settings().reuse_key});
  }
  judged.by_certificate = judged.by_certificate || wanted.by_certificate;
  judged.by_challenge = judged.by_challenge || wanted.by_challenge;
  JudgedPart part{wanted.certReqId, wanted.subject.text(), begin_object(request, requester)};
  describe(wanted, part.object);
  part.profile = profile;
  part.wanted = wanted.subject;
  part.extensions = wanted.extensions;
  part.key = wanted.key;
  judged.parts.push_back(std::move(part));
  return {};
}

Checked<void> check_numbering(const CertReqMessages& messages, const ChannelPolicy& channel) {
  int most = 1;
  for (const auto& profile : channel.profiles)
    most = std::max(most, profile.settings().max_requests);
  if (messages.size() > static_cast<std::size_t>(most)) {
    return reject(PKIFailureInfo::badRequest, "there are " + std::to_string(messages.size()) +
                                                  " requests in one message and " +
                                                  std::to_string(most) + " allowed");
  }
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (messages[i].certReq.certReqId != static_cast<std::int64_t>(i)) {
      return reject(PKIFailureInfo::badRequest, "certReqId does not count from 0");
    }
  }
  return {};
}

// What has passed here counts, and what the CA above is being asked for: the commit looks again.
Outcome<void> check_key_is_new(WantedKey& key, const Request& request, const Requester& requester,
                               Services& services) {
  ASSIGN_OR_RETURN(key.seen, services.ledger.count());
  ASSIGN_OR_RETURN(const auto others, services.ledger.with_key(key.spki, request.now));
  if (!others.empty()) {
    ASSIGN_OR_RETURN(const auto taken, key_is_taken(others, key.subject, requester));
    return failure(taken);
  }
  ASSIGN_OR_RETURN(const bool asked,
                   UpstreamTable(services.ledger.connection()).asks_for(sha256(key.spki)));
  if (!asked) return {};
  return reject(PKIFailureInfo::duplicateCertReq,
                "a certificate for this key is being asked for already");
}

Outcome<void> check_keys(Judged& judged, const Request& request, const Requester& requester,
                         Services& services) {
  for (auto& key : judged.keys) {
    if (!key.fresh) continue;
    TRY(check_key_is_new(key, request, requester, services));
    const auto times = std::ranges::count(judged.keys, key.spki, &WantedKey::spki);
    if (times > 1) {
      return reject(PKIFailureInfo::duplicateCertReq,
                    "several parts of the request are for one key");
    }
  }
  return {};
}

Outcome<Judged> judge_certificates(const CertReqMessages& messages, const Request& request,
                                   const Requester& requester, Services& services) {
  TRY(check_numbering(messages, *request.channel));
  Judged judged;
  for (const auto& message : messages) {
    ASSIGN_OR_RETURN(const auto wanted, prove(message, request, requester, services));
    TRY(add(wanted, request, requester, judged));
    ASSIGN_OR_RETURN(const auto tokens,
                     check_tokens(message, wanted.certProfile, request, requester, services));
    judged.tokens.insert(judged.tokens.end(), tokens.begin(), tokens.end());
  }
  TRY(check_keys(judged, request, requester, services));
  return judged;
}

Outcome<Judged> judge_p10cr(const CertificationRequest& asked, const Request& request,
                            const Requester& requester, Services& services) {
  Wanted wanted;
  ASSIGN_OR_RETURN(wanted.key, verify_pop(asked, requester));
  ASSIGN_OR_RETURN(wanted.certProfile, profile_name(request, kWholeMessage));
  wanted.names_profile = !wanted.certProfile.empty();
  wanted.subject = asked.subject;
  wanted.extensions = asked.extensions;
  TRY(check_attributes(asked));
  Judged judged;
  TRY(add(wanted, request, requester, judged));
  TRY(check_keys(judged, request, requester, services));
  return judged;
}

// The certificate that is to be revoked, as far as it is known here: one that has passed this RA,
// or the one that the request is signed with.
Outcome<CertificateRecord> target_of(const CertTemplate& details, const Requester& requester,
                                     Services& services) {
  if (!details.issuer || !details.serialNumber) {
    return reject(PKIFailureInfo::addInfoNotAvailable,
                  "issuer and serialNumber of the certificate are both needed");
  }
  const auto fits = [&](const Certificate& one) {
    return equal(one.serial_number(), *details.serialNumber) && one.issuer().same(*details.issuer);
  };
  const auto* holder = requester.certificate();
  if (holder != nullptr && holder->record && fits(holder->certificate)) return *holder->record;
  ASSIGN_OR_RETURN(auto record, services.ledger.find(*details.serialNumber));
  if (record) {
    ASSIGN_OR_RETURN(const auto certificate, Certificate::from_der(record->der));
    if (fits(certificate)) return *std::move(record);
  }
  // Whoever may not speak for others has no say over what is not known here.
  if (!requester.rights.others) {
    return reject(PKIFailureInfo::badCertId, "no such certificate is known here");
  }
  CertificateRecord unseen;
  unseen.serial = *details.serialNumber;
  return unseen;
}

Outcome<Judged> judge_revocation(const body::rr& rr, const Request& request,
                                 const Requester& requester, Services& services) {
  if (rr.details.empty()) return reject(PKIFailureInfo::badRequest, "there is nothing to revoke");
  auto object = begin_object(request, requester);
  std::string subject;
  Judged judged;
  for (const auto& one : rr.details) {
    ASSIGN_OR_RETURN(const auto target, target_of(one.certDetails, requester, services));
    Name name;
    if (!target.der.empty()) {
      ASSIGN_OR_RETURN(const auto certificate, Certificate::from_der(target.der));
      name = certificate.subject();
    }
    ASSIGN_OR_RETURN(const auto reason, reason_of(one));
    const bool release = reason == CRLReason::removeFromCRL;
    TRY(check_right(requester.rights, wanted::Revocation{target, name, release}));
    object.add(release ? "releases" : "revokes",
               to_hex(target.serial) + (target.subject.empty() ? "" : " of " + target.subject),
               target.serial);
    subject += (subject.empty() ? "revocation of " : ", ") + to_hex(target.serial);
    judged.profiles.insert(target.profile);
  }
  judged.parts.push_back({kWholeMessage, std::move(subject), std::move(object)});
  return judged;
}

Judged whole(const Request& request, const Requester& requester) {
  Judged judged;
  judged.parts.push_back({kWholeMessage, std::string(body_name(request.message.body)),
                          begin_object(request, requester)});
  return judged;
}

std::vector<std::int64_t> ids_of(const PKIBody& body) {
  std::vector<std::int64_t> ids;
  if (const auto* requests = cert_requests(body)) {
    for (const auto& one : *requests) ids.push_back(one.certReq.certReqId);
  } else {
    ids.push_back(kWholeMessage);
  }
  return ids;
}

// The answer to a request for certificates, with one response for each; others have none.
std::optional<PKIBody> typed(const PKIBody& body, CertRepMessage content) {
  if (std::holds_alternative<body::ir>(body)) return body::ip{std::move(content)};
  if (std::holds_alternative<body::kur>(body)) return body::kup{std::move(content)};
  if (std::holds_alternative<body::ccr>(body)) return body::ccp{std::move(content)};
  if (std::holds_alternative<body::cr>(body) || std::holds_alternative<body::p10cr>(body)) {
    return body::cp{std::move(content)};
  }
  return std::nullopt;
}

}  // namespace

Outcome<Judged> judge_request(const Request& request, const Requester& requester,
                              Services& services) {
  const auto& body = request.message.body;
  if (const auto* p10cr = std::get_if<body::p10cr>(&body)) {
    return judge_p10cr(p10cr->request, request, requester, services);
  }
  if (const auto* rr = std::get_if<body::rr>(&body)) {
    return judge_revocation(*rr, request, requester, services);
  }
  const bool certificates = std::holds_alternative<body::ir>(body) ||
                            std::holds_alternative<body::cr>(body) ||
                            std::holds_alternative<body::kur>(body);
  if (certificates) {
    return judge_certificates(*cert_requests(body), request, requester, services);
  }
  const bool question = std::holds_alternative<body::genm>(body);
  const bool of_some =
      std::holds_alternative<body::krr>(body) || std::holds_alternative<body::ccr>(body);
  // Nobody here is asked about what its requester cannot have.
  if (of_some) TRY(check_right(requester.rights, wanted::Kind{body}));
  if (question || of_some) return whole(request, requester);
  return reject(PKIFailureInfo::badRequest,
                "a message with the body " + std::string(body_name(body)) + " is not served here");
}

Answer refuse_all(const PKIBody& body, const Rejection& rejection) {
  CertRepMessage content;
  for (const auto id : ids_of(body)) {
    auto status = status_of_many(rejection, content.response.size());
    content.response.push_back({id, std::move(status), std::nullopt, std::nullopt});
  }
  if (auto answer_body = typed(body, std::move(content))) {
    Answer answer;
    answer.body = *std::move(answer_body);
    answer.refuse(rejection);
    answer.decides_all = true;
    return answer;
  }
  const auto* rr = std::get_if<body::rr>(&body);
  if (rr == nullptr) return refusal(rejection);
  Answer answer;
  answer.refuse(rejection);
  RevRepContent statuses;
  for (std::size_t i = 0; i < rr->details.size(); ++i) {
    statuses.status.push_back(status_of_many(rejection, i));
  }
  answer.body = body::rp{std::move(statuses)};
  return answer;
}

PKIBody waiting_answer(const PKIBody& body) {
  CertRepMessage content;
  for (const auto id : ids_of(body)) content.response.push_back(waiting_response(id));
  if (auto answer = typed(body, std::move(content))) return *std::move(answer);
  return std::holds_alternative<body::krr>(body) ? waiting_krp() : waiting_error();
}

}  // namespace cmpost
