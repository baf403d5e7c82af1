#include <algorithm>

#include "processor/admission/request.h"
#include "processor/rules/evaluation.h"

namespace cmpost {
namespace {

Consent refused(PKIFailureInfo bit, std::string text) {
  return {Consent::What::refused, Rejection{bit, std::move(text)}};
}

Consent pending_unless(bool overdue, std::string text) {
  if (!overdue) return {Consent::What::pending, {}};
  return refused(PKIFailureInfo::systemUnavail, std::move(text));
}

Consent about(const WaitingPart& part, bool overdue) {
  switch (part.state) {
    case PartState::unlisted:
      // Whoever asks knows that the device has no row yet (hold_unlisted()).
      return pending_unless(overdue, "the device was not listed in time; ask again");
    case PartState::undecided:
    case PartState::held:
      return pending_unless(overdue, "nobody has decided in time; ask again");
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

}  // namespace

bool is_fresh(const Request& request, std::int64_t certReqId) {
  if (request.waited == nullptr) return true;
  const auto* part = request.waited->part(certReqId);
  if (part == nullptr) return false;
  const bool by_rule = part->state == PartState::agreed && part->people == 0 && !part->rule.empty();
  return by_rule || part->state == PartState::listed;
}

bool asks_rules(const Request& request) {
  const auto body = body_name(request.message.body);
  return !ChannelPolicy::needs_people(body) && any_about(request.channel->rules, body);
}

int people_left(const Request& request, int people) {
  const auto body = body_name(request.message.body);
  const bool endorsed = !request.endorsed_by.empty() && !ChannelPolicy::needs_people(body);
  return std::max(people - (endorsed ? 1 : 0), 0);
}

Consent consent_for(const Request& request, std::int64_t certReqId) {
  if (is_fresh(request, certReqId)) {
    const int people = request.channel->approvals(body_name(request.message.body));
    const bool ask = asks_rules(request) || people_left(request, people) > 0;
    return {ask ? Consent::What::needed : Consent::What::granted, {}};
  }
  // What never waited was answered with the parts that did.
  const auto* part = request.waited->part(certReqId);
  return part == nullptr ? Consent{Consent::What::settled, {}} : about(*part, request.overdue);
}

}  // namespace cmpost
