// Which way a message goes: a CA must never answer an answer.
#pragma once

#include "cmp/pki_body.h"

namespace cmpost {

enum class MessageDirection {
  request,       // ir, cr, p10cr, popdecr, kur, krr, rr, ccr, genm, certConf, pollReq; nested
  response,      // ip, cp, popdecc, kup, krp, rp, ccp, pkiconf, genp, pollRep
  error,         // both ways: a requester ends its transaction with it (RFC 9483 3.6.4)
  announcement,  // ckuann, cann, rann, crlann
};
// By the number of the body's choice, 0 to 26.
MessageDirection direction_of(std::size_t tag);
inline MessageDirection direction_of(const PKIBody& body) { return direction_of(body.index()); }

// Whether nothing in the message is a request: it is a response, an error or an announcement
// itself, or nested with nothing else inside. By tags alone, so that it can be said of what cannot
// be decoded. What is no PKIMessage is no request either way: false. So is an empty nested message;
// one that is deeper than anybody nests requests has none. Ends at the first request.
bool asks_for_nothing(ByteView message);

}  // namespace cmpost
