// What the end of the program means for the order that it was run for.
#pragma once

#include <optional>

#include "orders/program_run.h"

namespace cmpost {

// The exit codes are those of certmonger's helpers:
//   0  stdout: the certificate, and perhaps its chain   4  it is not configured
//   1  not yet; stdout: a cookie                        5  as 1, with the seconds until the next
//   2  refused; stdout: why                                question in a line before the cookie
//   3  the CA cannot be reached
struct ProgramVerdict {
  enum class What {
    issued,   // `payload`: see OrderNews::certificates
    refused,  // `payload`: why
    working,  // `payload`: the cookie; `after`, if it says when
    not_now,  // nothing was ordered, `why` is the channel's
    unknown   // perhaps something was: `why`
  };
  What what = What::unknown;
  Bytes payload;
  std::optional<Duration> after;
  Error why;
};
ProgramVerdict judge_program(ProgramEnd end, const std::string& program);

}  // namespace cmpost
