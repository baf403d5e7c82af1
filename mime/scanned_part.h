// What the header of a part says about its body.
#pragma once

#include "base/result.h"
#include "mime/scan.h"

namespace cmpost {

// Everything but path, depth and body. An Error for Content-* fields that are malformed, and for a
// multipart or message/rfc822 that is encoded: RFC 2045 6.4 forbids it, and readers that do not
// decode it take it for text.
Result<ScannedPart> described_part(Header header, bool in_digest);

}  // namespace cmpost
