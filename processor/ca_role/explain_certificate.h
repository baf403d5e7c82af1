// The checks of a certificate request once more, one after the other.
#pragma once

#include "processor/admission/check_verdict.h"
#include "processor/admission/request.h"
#include "processor/ca_role/ca_services.h"

namespace cmpost {

// As ledger and settings are now. Empty for bodies that ask for no certificate. The names begin
// with "request <certReqId>: ", those of p10cr with "request: ".
Result<CheckVerdicts> explain_certificates(const Request& request, const Requester& requester,
                                           CaServices& services);

}  // namespace cmpost
