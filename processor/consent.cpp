#include "processor/request.h"

namespace cmpost {
namespace {

Consent refused(PKIFailureInfo bit, std::string text) {
  return {Consent::What::refused, Rejection{bit, std::move(text)}};
}

Consent about(const WaitingPart& part, bool overdue) {
  switch (part.state) {
    case PartState::undecided:
      if (!overdue) return {Consent::What::pending, {}};
      return refused(PKIFailureInfo::systemUnavail, "nobody has decided in time; ask again");
    case PartState::approved:
      return {Consent::What::granted, {}};
    case PartState::rejected:
      return refused(PKIFailureInfo::notAuthorized,
                     "refused by an operator" + (part.reason.empty() ? "" : ": " + part.reason));
    default:
      return {Consent::What::settled, {}};
  }
}

}  // namespace

Consent consent_for(const Request& request, std::int64_t certReqId) {
  if (request.waited == nullptr) {
    // The approval of a registration authority stands for that of one person.
    const auto body = body_name(request.message.body);
    const int needed = request.channel->approvals(body);
    const bool endorsed = request.endorsed && !ChannelPolicy::needs_people(body);
    const bool ask = needed > (endorsed ? 1 : 0);
    return {ask ? Consent::What::needed : Consent::What::granted, {}};
  }
  // What never waited was answered with the parts that did.
  const auto* part = request.waited->part(certReqId);
  return part == nullptr ? Consent{Consent::What::settled, {}} : about(*part, request.overdue);
}

}  // namespace cmpost
