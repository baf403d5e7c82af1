#include "processor/admission/private_key_leaves.h"

#include <algorithm>

#include "base/ascii.h"

namespace cmpost {
Checked<void> check_may_leave(const Request& request) {
  const auto& channel = request.channel->settings;
  switch (channel.kind) {
    case ChannelKind::directory:
    case ChannelKind::sftp:
      return {};
    case ChannelKind::mail:
      break;
  }
  const auto& entries = channel.mail.registered;
  const bool known = std::ranges::any_of(entries, [&](const RegisteredAddress& entry) {
    return same_letters(entry.answers_to, request.peer);
  });
  if (known) return {};
  return reject(PKIFailureInfo::notAuthorized,
                "private keys leave by mail to registered addresses only");
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
