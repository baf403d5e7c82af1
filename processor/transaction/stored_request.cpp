#include "processor/transaction/stored_request.h"

#include <algorithm>

namespace cmpost {
namespace {

std::string request_context(const StoredMessage& message) {
  return "message/" + to_hex(ByteView(message.digest));
}

}  // namespace

bool has_token(const PKIMessage& message) {
  const auto* requests = cert_requests(message.body);
  if (const auto* krr = std::get_if<body::krr>(&message.body)) requests = &krr->requests;
  return requests != nullptr && std::ranges::any_of(*requests, [](const CertReqMsg& one) {
           const auto& controls = one.certReq.controls;
           return controls && (find(*controls, oid::id_regCtrl_regToken) != nullptr ||
                               find(*controls, oid::id_regCtrl_authenticator) != nullptr);
         });
}

Result<void> seal_request(StoredMessage& message, const SealingKey& key, Random& random) {
  ASSIGN_OR_RETURN(message.request, key.seal(message.request, request_context(message), random));
  message.sealed = true;
  return {};
}

Result<Bytes> request_in(const StoredMessage& message, const SealingKey& key) {
  if (!message.sealed) return message.request;
  return key.unseal(message.request, request_context(message));
}

}  // namespace cmpost
