// What the answer of an HTTP server means for the message that it answers.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "http/wire/http_outcome.h"

namespace cmpost {

struct HttpVerdict {
  enum class What {
    message,  // the peer's PKIMessage has come, whatever the status says (RFC 9811 3.1)
    later,    // the peer has not worked on it and asks to be left alone, for `after` if it says so
    channel,  // it has not been worked on, and no other message would be: `why` is the channel's
    refused,  // sent again it would fare the same: somebody has to look
    unknown   // it may have been worked on
  };
  What what = What::unknown;
  Bytes message;
  Error why;  // of all but a message
  std::optional<Duration> after;
};

// Nothing of it is believed but whether there is an answer and when to come again; what an answer
// says is for the processor (RFC 9811 5).
HttpVerdict judge_answer(HttpOutcome outcome, std::size_t max_message);

// The types that a PKIMessage may have: application/pkixcmp, and application/pkixcmp-poll, which
// drafts of RFC 6712 had (RFC 9811 4), each also with an x- as before the registration. By what is
// before the parameters, without regard to case.
bool is_cmp_type(std::string_view content_type);

}  // namespace cmpost
