#include "processor/admission/private_key_leaves.h"

#include <algorithm>

namespace cmpost {
Checked<void> check_may_leave(const Request& request) {
  const auto& channel = request.channel->settings;
  if (is_private(channel, request.peer)) return {};
  return reject(
      PKIFailureInfo::notAuthorized,
      "private keys leave by " + std::string(channel.kind()) + " to registered addresses only");
}

bool carries_private_key(const PKIBody& answer) {
  if (const auto* krp = std::get_if<body::krp>(&answer)) {
    return krp->content.keyPairHist.has_value();
  }
  const auto* response = cert_response(answer);
  return response != nullptr && std::ranges::any_of(response->response, [](const auto& one) {
           return one.certifiedKeyPair && one.certifiedKeyPair->privateKey;
         });
}

}  // namespace cmpost
