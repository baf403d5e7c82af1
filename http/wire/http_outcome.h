// What came of one POST.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

namespace cmpost {

// What a server said, whole.
struct HttpAnswer {
  int status = 0;
  std::string content_type;  // as it was sent; empty: none
  Bytes body;
  std::optional<Duration> retry_after;  // Retry-After, by either of its forms
  std::string location;                 // of a redirect: where to
};

struct HttpOutcome {
  enum class What {
    answered,   // `answer`
    too_large,  // an answer has come and is larger than what is taken; `answer` without its body
    not_sent,   // nothing of the message has left; `error` says why
    unknown     // the message has perhaps arrived, and no whole answer came; `error` says why
  };
  What what = What::not_sent;
  HttpAnswer answer;
  Error error;
};

}  // namespace cmpost
