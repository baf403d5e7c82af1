// ccr: another CA wants a certificate for its key (RFC 9810 5.3.11 and D.6; ).
#pragma once

#include "processor/ca_role/certificate_request.h"

namespace cmpost {

// All checks of D.6 on the one request: signed by a CA of `roles.ca`, whose subject it asks for,
// with a complete template and a signature as proof. What is missing from the template is a
// badCertTemplate, a private key in whatever place a badRequest. Whether the profile has CA rights
// is the profile's to say (issue()).
Outcome<ProvenRequest> prepare_cross_certificate(const CertReqMsg& message, const Request& request,
                                                 const Requester& requester, CaServices& services);

}  // namespace cmpost
