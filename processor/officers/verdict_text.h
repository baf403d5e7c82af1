// What an officer signs: one verdict about one part of a request, as text for people and programs.
#pragma once

#include "processor/officers/officer.h"
#include "processor/transaction/wait_table.h"

namespace cmpost {

struct VerdictText {
  Bytes transactionID;
  std::int64_t certReqId = kWholeMessage;
  std::int64_t round = 0;
  Bytes request;  // SHA-256 of the message
  Bytes object;   // SHA-256 of what is decided about (consent_object.h)
  bool approves = false;
  std::string officer;  // by name
  Time at{};            // whole seconds
  std::string reason;   // one line
  friend bool operator==(const VerdictText&, const VerdictText&) = default;
};
// Lines that end in LF; the same verdict has the same text.
std::string spell(const VerdictText& verdict);
// An Error for what spell() has not made. Lines may end in CR LF, as S/MIME makes them.
Result<VerdictText> read_verdict(std::string_view text);

// CMS SignedData (DER or BER) around it, by the certificate of the officer whom it names, while
// that is valid. An Error says what is wrong.
Result<VerdictText> read_signed_verdict(ByteView cms, const std::vector<Officer>& officers,
                                        Time now);

}  // namespace cmpost
