#include "processor/admission/asked_certificate.h"

namespace cmpost {

Checked<std::string> profile_name(const Request& request, std::int64_t certReqId) {
  const auto& names = request.wishes.certProfile;
  if (names.empty()) return std::string();
  if (names.size() == 1) return names.front();
  const auto index = static_cast<std::size_t>(certReqId);
  if (certReqId < 0) {
    return reject(PKIFailureInfo::badRequest, "certProfile has several names for one request");
  }
  if (index >= names.size()) {
    return reject(PKIFailureInfo::badRequest,
                  "certProfile has fewer names than there are requests");
  }
  return names[index];
}

void mean_only_profile(Request& request, const Requester& requester) {
  const auto& rights = requester.rights;
  auto& named = request.wishes.certProfile;
  if (rights.by_row && rights.profiles.size() == 1 && named.empty()) named = rights.profiles;
}

Rejection to_rejection(const Refusal& refusal) {
  using Reason = Refusal::Reason;
  switch (refusal.reason) {
    case Reason::ca_certificate:
      return {PKIFailureInfo::notAuthorized, refusal.text};
    case Reason::reused_key:
      return {PKIFailureInfo::duplicateCertReq, refusal.text};
    default:
      return {PKIFailureInfo::badCertTemplate, refusal.text};
  }
}

Checked<const Profile*> pick_profile(const std::string& name, const ChannelPolicy& channel) {
  if (const auto* profile = channel.profile(name)) return profile;
  return reject(PKIFailureInfo::badCertTemplate,
                "the certificate profile " + printable(name, 64) + " is not offered here");
}

}  // namespace cmpost
