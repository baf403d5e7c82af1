// What RFC 8550 asks of the certificate of a mail's signer.
#pragma once

#include <string>
#include <vector>

#include "crypto/x509/certificate.h"

namespace cmpost {

// RFC 8550 3: the rfc822Names of subjectAltName and the emailAddresses of the subject, as they
// stand there. Hostile text.
std::vector<std::string> mail_addresses(const Certificate& certificate);

// RFC 8550 4.4.2 and 4.4.4: keyUsage and extKeyUsage, where they are there, allow to sign mails.
bool may_sign_mails(const Certificate& certificate);

}  // namespace cmpost
