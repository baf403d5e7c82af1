// Controls and regInfo of a request (RFC 4211 6 and 7, R-105, R-108, R-109).
#pragma once

#include "crypto/keys/private_key.h"
#include "processor/admission/request.h"
#include "processor/admission/services.h"
#include "processor/possession/proof_of_possession.h"
#include "processor/rights/requester.h"
#include "processor/transaction/answer.h"

namespace cmpost {

// What contradicts itself, or what nobody here can do: badDataFormat, badRequest.
Checked<void> check_controls(const CertReqMsg& message, const Request& request);

// regToken and authenticator, where a request has them: the secrets for this purpose that are
// called as the common name of the wanted subject, and may have that subject. notAuthorized when
// they differ, have expired or are used up, also by another request of the message; what differs
// counts against the requester, which is not believed after `mac.lock_after` of them.
// Returns the regTokens to use up (secret_key); none where the channel has no such profile, which
// is refused for that.
Outcome<std::vector<std::string>> check_tokens(const CertReqMsg& message,
                                               const std::string& certProfile,
                                               const Request& request, const Requester& requester,
                                               Services& services);

// The private key in pkiArchiveOptions, which is that of the template and the requester's own
// (check_identifier); nullopt without the control or when it does not bring one. badPOP,
// badRequest.
Outcome<std::optional<PrivateKey>> key_to_archive(const CertReqMsg& message,
                                                  const Possession& possession,
                                                  const Request& request,
                                                  const Requester& requester,
                                                  const Services& services);
// Whether pkiArchiveOptions asks to keep the key that is generated.
bool asks_to_archive_generated(const CertReqMsg& message);

}  // namespace cmpost
