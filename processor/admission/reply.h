// The message around an answer: header, protection, extraCerts.
#pragma once

#include <optional>

#include "base/random.h"
#include "processor/admission/identity.h"
#include "processor/admission/request.h"
#include "processor/rights/requester.h"

namespace cmpost {

struct ReplyParts {
  PKIBody body;
  bool implicitConfirm = false;
  std::optional<Time> confirmWaitTime;
  Bytes senderNonce;                    // fresh; kept by an open transaction
  bool unprotected = false;             // to who has proven nothing (RFC 9810 Appendix E)
  std::vector<CMPCertificate> chain{};  // of the certificate in it, where that is not our own
  bool takes_passphrase = false;        // the header of the request had one, which is kept
};

// DER of the answer to `header`: pvno, transactionID, nonces and recipient as and
// R-015 want them; protected like the request: under the same secret with a fresh salt, or
// signed. Without a requester (the protection did not hold) the answer is signed.
Result<Bytes> build_reply(const PKIHeader& header, const std::optional<Requester>& requester,
                          ReplyParts parts, const Identity& identity, Random& random, Time now);

// The sender of answers to a requester.
Name answer_sender(const Requester& requester, const Identity& identity);

}  // namespace cmpost
