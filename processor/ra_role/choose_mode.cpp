#include "processor/ra_role/choose_mode.h"

#include <algorithm>

#include "processor/ra_role/upward.h"

namespace cmpost {
namespace {

bool lacks_key(const CertReqMsg& message) {
  const auto& key = message.certReq.certTemplate.publicKey;
  return !key || key->key.empty();
}

// The CA makes a key, or gives one back, and encrypts it to who has protected the request.
bool asks_for_key(const PKIBody& body) {
  if (std::holds_alternative<body::krr>(body)) return true;
  const auto* requests = cert_requests(body);
  return requests != nullptr && std::ranges::any_of(*requests, lacks_key);
}

bool needs_own_protection(const PKIBody& body) {
  return std::holds_alternative<body::kur>(body) || std::holds_alternative<body::ccr>(body) ||
         asks_for_key(body);
}

bool can_be_ordered(const PKIBody& body) {
  return std::holds_alternative<body::p10cr>(body) || std::holds_alternative<body::rr>(body);
}

}  // namespace

Checked<UpstreamMode> choose_mode(RaSettings::Mode wish, const Request& request,
                                  const Requester& requester) {
  using enum UpstreamMode;
  const auto& body = request.message.body;
  const bool signs = requester.signs();
  if (!signs && needs_own_protection(body)) {
    return reject(PKIFailureInfo::notAuthorized,
                  std::string(body_name(body)) +
                      " goes on to the CA under its requester's own protection, and the CA cannot "
                      "verify a MAC: sign it with a certificate that the CA knows");
  }
  if (!signs) return reprotect;
  switch (wish) {
    case RaSettings::Mode::reprotect:
      return needs_own_protection(body) ? nest : reprotect;
    case RaSettings::Mode::nest:
      return nest;
    case RaSettings::Mode::forward:
    case RaSettings::Mode::batch:
      break;
  }
  return forward;
}

Checked<WayUp> way_up(const RaSettings& ra, const Request& request, const Requester& requester,
                      const std::set<std::string>& profiles, const ChannelPolicies& channels) {
  ASSIGN_OR_RETURN(const auto* const channel, upstream_for(profiles, ra, channels));
  const auto& body = request.message.body;
  if (channel->settings.orders() != nullptr) {
    if (can_be_ordered(body)) return WayUp{channel, UpstreamMode::pkcs10};
    return reject(PKIFailureInfo::badRequest, "this CA is reached by PKCS#10: use p10cr (" +
                                                  std::string(body_name(body)) +
                                                  " cannot go there)");
  }
  ASSIGN_OR_RETURN(const auto mode, choose_mode(ra.mode, request, requester));
  return WayUp{channel, mode};
}

}  // namespace cmpost
