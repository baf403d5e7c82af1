#include "processor/explanation/facts_again.h"

#include "processor/admission/asked_certificate.h"
#include "processor/admission/authentication.h"
#include "processor/admission/header_rules.h"
#include "processor/consent/gather_facts.h"

namespace cmpost {
namespace {

constexpr auto kFarAway = std::chrono::hours(24 * 365 * 100);

struct Wanted {
  std::int64_t certReqId = 0;
  Name subject{};
  Extensions extensions{};
  std::optional<PublicKey> key{};
  std::optional<Time> not_before{}, not_after{};
};

class Recollection {
 public:
  Recollection(const Request& request, const Requester& requester, const Services& services)
      : request_(request), requester_(requester), services_(services) {}

  Result<std::vector<PartFacts>> run() {
    const auto& body = request_.message.body;
    if (std::holds_alternative<body::rr>(body)) {
      ASSIGN_OR_RETURN(auto facts, gather_facts(request_, requester_, nullptr, services_));
      parts_.push_back({kWholeMessage, std::move(facts)});
    } else if (const auto* p10cr = std::get_if<body::p10cr>(&body)) {
      TRY(add(of_pkcs10(p10cr->request)));
    } else if (const auto* requests = cert_requests(body)) {
      for (const auto& one : *requests) TRY(add(of_template(one.certReq)));
    }
    return std::move(parts_);
  }

 private:
  const Certificate* own() const {
    const auto* holder = requester_.certificate();
    return holder == nullptr ? nullptr : &holder->certificate;
  }
  bool renews() const { return std::holds_alternative<body::kur>(request_.message.body); }

  static Wanted of_pkcs10(const CertificationRequest& asked) {
    Wanted wanted{kWholeMessage, asked.subject, asked.extensions};
    if (auto key = PublicKey::from_spki(asked.spki)) wanted.key = std::move(*key);
    return wanted;
  }

  // What a kur leaves out is taken from the certificate that it renews.
  Wanted of_template(const CertRequest& asked) const {
    const auto& fields = asked.certTemplate;
    Wanted wanted{asked.certReqId, fields.subject.value_or(Name()),
                  fields.extensions.value_or(Extensions())};
    if (renews() && own() != nullptr) {
      if (!fields.subject) wanted.subject = own()->subject();
      const auto* san = find(own()->extensions(), oid::id_ce_subjectAltName);
      const bool has_san = find(wanted.extensions, oid::id_ce_subjectAltName) != nullptr;
      if (san != nullptr && !has_san) wanted.extensions.push_back(*san);
    }
    if (fields.publicKey && !fields.publicKey->key.empty()) {
      if (auto key = PublicKey::from_spki(*fields.publicKey)) wanted.key = std::move(*key);
    }
    if (fields.validity) {
      wanted.not_before = fields.validity->notBefore;
      wanted.not_after = fields.validity->notAfter;
    }
    return wanted;
  }

  const Profile* profile_of(const Wanted& wanted) const {
    auto name = profile_name(request_, wanted.certReqId);
    if (!name) return nullptr;
    const auto* holder = requester_.certificate();
    if (name->empty() && renews() && holder != nullptr && holder->record) {
      name = holder->record->profile;
    }
    const auto profile = pick_profile(*name, *request_.channel);
    return profile ? *profile : nullptr;
  }

  Result<void> add(const Wanted& wanted) {
    const auto* profile = profile_of(wanted);
    if (profile == nullptr) return {};  // refused whatever rules say
    CertificateToBe certificate{*profile, wanted.subject, wanted.extensions,
                                wanted.key ? &*wanted.key : nullptr};
    std::optional<CertificatePlan> plan;
    if (wanted.key && !request_.channel->takes_unseen) {
      auto planned = profile->plan(
          {wanted.subject, *wanted.key, wanted.extensions, wanted.not_before, wanted.not_after},
          request_.now, request_.now + kFarAway);
      if (planned) plan = std::move(*planned);
    }
    if (!plan) return gather(wanted.certReqId, certificate);
    return gather(wanted.certReqId, {*profile, plan->subject, plan->extensions, certificate.key,
                                     plan->notAfter - plan->notBefore});
  }

  Result<void> gather(std::int64_t certReqId, const CertificateToBe& certificate) {
    ASSIGN_OR_RETURN(auto facts, gather_facts(request_, requester_, &certificate, services_));
    parts_.push_back({certReqId, std::move(facts)});
    return {};
  }

  const Request& request_;
  const Requester& requester_;
  const Services& services_;
  std::vector<PartFacts> parts_;
};

}  // namespace

Result<std::vector<PartFacts>> facts_again(const Asked& asked, LedgerReader& ledger,
                                           const ProcessorServices& services) {
  const auto channel = services.channels.find(asked.channel);
  if (channel == services.channels.end()) return std::vector<PartFacts>();
  Request request;
  request.channel = &channel->second;
  request.now = request.sure = request.likely = asked.at;
  request.message = asked.message;
  request.der = to_bytes(asked.der);
  request.digest = asked.digest;
  if (const auto wishes = check_header(request.message, *request.channel, request.now)) {
    request.wishes = *wishes;
  }
  TokenLog tokens;
  Services local{services.identity, ledger, services.sealing_key, services.random, tokens};
  ASSIGN_OR_RETURN(const auto requester, apart(authenticate(request, local)));
  if (!requester) return std::vector<PartFacts>();
  return Recollection(request, *requester, local).run();
}

}  // namespace cmpost
