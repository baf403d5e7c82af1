// The PKIMessages among the parts of a mail.
#pragma once

#include <vector>

#include "base/result.h"
#include "mime/read_mail.h"
#include "mime/scan.h"

namespace cmpost {

// Decoded. An Error when one is damaged, empty or too large, when there are too many, and for TNEF,
// which may hide one.
Result<std::vector<MailPart>> take_messages(const std::vector<ScannedPart>& parts,
                                            const MailLimits& limits, const MailPolicy& policy);

}  // namespace cmpost
