// Why a certificate is to be revoked.
#pragma once

#include "cmp/pki_body.h"
#include "cmp/pki_failure_info.h"
#include "crypto/x509/certificate_builder.h"

namespace cmpost {

// reasonCode (RFC 5280 5.3.1). badDataFormat for what is none.
Checked<CRLReason> read_reason(const Extension& extension);
// That of an rr; `unspecified` where it says none.
Checked<CRLReason> reason_of(const RevDetails& details);

}  // namespace cmpost
