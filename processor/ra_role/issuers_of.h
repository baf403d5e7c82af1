// The certificates above those that a CA has issued.
#pragma once

#include "cmp/pki_message.h"

namespace cmpost {

// RFC 9483 3.3: what has come in `extraCerts` of the chains of the certificates in an answer,
// lowest first, each once, without roots. They are under no protection: only what has signed a
// certificate counts. Where a certificate is encrypted, any certificate of a CA may be above it.
std::vector<CMPCertificate> issuers_of(const PKIBody& answer,
                                       const std::vector<CMPCertificate>& extraCerts);

}  // namespace cmpost
