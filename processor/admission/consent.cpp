#include "processor/admission/request.h"

namespace cmpost {
namespace {

constexpr std::int64_t kMostRounds = 5;

Consent refused(PKIFailureInfo bit, std::string text) {
  return {Consent::What::refused, Rejection{bit, std::move(text)}};
}

Consent about(const WaitingPart& part, bool overdue) {
  switch (part.state) {
    case PartState::unlisted:
      // Whoever asks knows that the device has no row yet (hold_unlisted()).
      if (!overdue) return {Consent::What::pending, {}};
      return refused(PKIFailureInfo::systemUnavail, "the device was not listed in time; ask again");
    case PartState::undecided:
      if (!overdue) return {Consent::What::pending, {}};
      return refused(PKIFailureInfo::systemUnavail, "nobody has decided in time; ask again");
    case PartState::agreed:
    case PartState::approved:
      return {Consent::What::agreed, {}};
    case PartState::rejected:
      return refused(PKIFailureInfo::notAuthorized,
                     "refused by an operator" + (part.reason.empty() ? "" : ": " + part.reason));
    default:
      return {Consent::What::settled, {}};
  }
}

// It has waited for its row alone, and is judged as if it had just come.
bool is_fresh(const Waiting& waiting, std::int64_t certReqId) {
  const auto* part = waiting.part(certReqId);
  return part != nullptr && part->state == PartState::listed;
}

// What has changed since they were asked.
std::string why_again(const WaitingPart& before, const ConsentObject& object) {
  if (before.object.empty()) return "what it is about was not recorded when it came";
  const auto shown = read_consent_object(before.object);
  return shown ? difference(*shown, object) : shown.error().what;
}

}  // namespace

Consent consent_for(const Request& request, std::int64_t certReqId) {
  if (request.waited == nullptr || is_fresh(*request.waited, certReqId)) {
    // The approval of a registration authority stands for that of one person.
    const auto body = body_name(request.message.body);
    const int needed = request.channel->approvals(body);
    const bool endorsed = !request.endorsed_by.empty() && !ChannelPolicy::needs_people(body);
    const bool ask = needed > (endorsed ? 1 : 0);
    return {ask ? Consent::What::needed : Consent::What::granted, {}};
  }
  // What never waited was answered with the parts that did.
  const auto* part = request.waited->part(certReqId);
  return part == nullptr ? Consent{Consent::What::settled, {}} : about(*part, request.overdue);
}

Consent consent_to(const Request& request, std::int64_t certReqId, const ConsentObject& object) {
  auto consent = consent_for(request, certReqId);
  if (consent.what != Consent::What::agreed) return consent;
  const auto& part = *request.waited->part(certReqId);
  if (part.object == encode_consent_object(object)) return {Consent::What::granted, {}};
  if (part.round < kMostRounds) return {Consent::What::needed, {}};
  return refused(PKIFailureInfo::systemUnavail,
                 "what would be granted has changed after each approval; ask again");
}

WaitingPart ask_people(const Request& request, std::int64_t certReqId, std::string subject,
                       const ConsentObject& object) {
  WaitingPart part;
  part.certReqId = certReqId;
  part.subject = std::move(subject);
  part.object = encode_consent_object(object);
  const auto* before = request.waited == nullptr ? nullptr : request.waited->part(certReqId);
  if (before == nullptr || before->state == PartState::listed) return part;
  part.round = before->round + 1;
  part.why = why_again(*before, object);
  return part;
}

}  // namespace cmpost
