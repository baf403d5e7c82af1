// Whether another reader finds the same parts in a mail.
#pragma once

#include <vector>

#include "base/result.h"
#include "mime/scan.h"

namespace cmpost {

// An Error where mimetic sees other leaves than our scanner: what an attachment is, or whether
// there is one, must not depend on the program that a mail is read with.
Result<void> agree_with_mimetic(ByteView raw, const std::vector<ScannedPart>& parts);

}  // namespace cmpost
