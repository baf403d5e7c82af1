// The parts of a request, which a CA above may decide one after the other (RFC 9810 5.3.22).
#pragma once

#include "processor/admission/request.h"
#include "processor/upstream/upstream_message.h"

namespace cmpost {

struct HeardParts {
  PKIBody body;                   // the answer, as far as it decides something for the first time
  bool decides = false;           // it does
  std::vector<WaitingPart> rest;  // of the request: about these nothing is decided yet
};

// Each response is about another part of `question`; all of them, where the CA has not said before
// that it needs time.
Checked<void> check_parts(const CertRepMessage& content, const UpstreamMessage& asked,
                          const PKIBody& question);

// `answer` is an ip, cp, kup or ccp to `question`, which waits. The first one is about all parts, a
// later one about some; what it says once more is what was said before.
Checked<HeardParts> sort_parts(const UpstreamMessage& asked, const Request& question,
                               const PKIBody& answer);

}  // namespace cmpost
