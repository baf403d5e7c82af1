// S/MIME around a whole mail (RFC 8551 3).
#pragma once

#include "mime/read_mail.h"
#include "mime/scan.h"

namespace cmpost {

// By the Content-Type of the mail itself; where smime-type is missing, by the content type in the
// CMS structure.
IncomingMail::Wrapped wrapping_of(const ScannedPart& mail);

}  // namespace cmpost
