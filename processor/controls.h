// Controls and regInfo of a request (RFC 4211 6 and 7, R-105, R-108, R-109).
#pragma once

#include "crypto/private_key.h"
#include "processor/handlers.h"
#include "processor/proof_of_possession.h"

namespace cmpost {

// What contradicts itself, or what nobody here can do: badDataFormat, badRequest.
Checked<void> check_controls(const CertReqMsg& message, const Request& request);

// regToken and authenticator, where a request has them: the secrets `regToken/CN` and
// `authenticator/CN` for the common name of the wanted subject. notAuthorized when they differ; a
// regToken is one with a number of uses, of which this is one.
struct TokenUse {
  std::string reference;  // to be used up once
  std::int64_t left = 0;  // uses that it has
};
Outcome<std::vector<TokenUse>> check_tokens(const CertReqMsg& message, Services& services);
// The same where other requests of the message have used up these references (notAuthorized).
Checked<void> check_tokens_left(const std::vector<TokenUse>& tokens,
                                const std::vector<std::string>& used);

// The private key in pkiArchiveOptions, which is that of the template and the requester's own
// (check_identifier); nullopt without the control or when it does not bring one. badPOP,
// badRequest.
Checked<std::optional<PrivateKey>> key_to_archive(const CertReqMsg& message,
                                                  const Possession& possession,
                                                  const Request& request,
                                                  const Requester& requester,
                                                  const Services& services);
// Whether pkiArchiveOptions asks to keep the key that is generated.
bool asks_to_archive_generated(const CertReqMsg& message);

}  // namespace cmpost
