// What people are shown before they agree.
#pragma once

#include "processor/transaction/consent_object.h"
#include "tests/processor/keys.h"
#include "tests/processor/office.h"

namespace cmpost {

inline constexpr const char* kToldByError =
    "approve = \"one\"\nwaiting = \"always\"\nwaiting_by_error = true\n";

inline Bytes tid_of(const PKIMessage& answer) { return *answer.header.transactionID; }

MATCHER_P2(Says, what, text, std::string("says of ") + what + ": " + text) {
  return arg.what == what && arg.text.find(text) != std::string::npos;
}
MATCHER_P(Mentions, what, std::string("mentions ") + what) { return arg.what == what; }

inline std::vector<ConsentItem> shown(const WaitingPart& part) {
  return must(read_consent_object(part.object)).items;
}
inline std::string digest_of(const WaitingPart& part) { return to_hex(part.digest().value()); }

}  // namespace cmpost
