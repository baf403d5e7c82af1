// Does the requester hold the private key that it wants certified?
#pragma once

#include "cmp/pki_failure_info.h"
#include "processor/request.h"
#include "processor/requester.h"

namespace cmpost {

// POPOSigningKey over the octets of the CertRequest, or over poposkInput where the
// template lacks key or subject; raVerified from an RA that protected the message itself. badPOP,
// notAuthorized, or badCertTemplate for a key that is malformed.
Checked<PublicKey> verify_pop(const CertReqMsg& request, const PKIHeader& header,
                              const Requester& requester);

// version 0 and the request's own signature.
Checked<PublicKey> verify_pop(const CertificationRequest& request);

}  // namespace cmpost
