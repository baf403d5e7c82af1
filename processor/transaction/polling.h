// pollReq and its answers (RFC 9810 5.3.22, R-142 to R-148).
#pragma once

#include "processor/transaction/waiting.h"

namespace cmpost {

// What a pollReq gets: pollRep, or what there is of the final response.
struct PollAnswer {
  PKIBody body;
  std::vector<std::int64_t> delivers;  // parts; empty: pollRep
  // A decision has been made and is being worked on.
  bool soon = false;
};

// badRequest for a certReqId that names nothing that waits. A poll for some parts gets those that
// are ready, with `waiting` for the rest; one for the whole message gets it when all is
// decided. What was delivered before is delivered again.
Checked<PollAnswer> answer_poll(const std::vector<PollReq>& requests, const Waiting& waiting,
                                std::chrono::seconds check_after);

}  // namespace cmpost
