// Proof of possession by challenge and response (RFC 9810 5.2.8.3.3, R-065, R-066, R-103): the
// request is parked in its transaction (TransactionState::challenged) until popdecr comes.
#pragma once

#include "processor/admission/request.h"
#include "processor/admission/services.h"
#include "processor/possession/proof_of_possession.h"
#include "processor/rights/requester.h"
#include "processor/transaction/answer.h"

namespace cmpost {

// Has to decrypt something before its certificate is made.
struct ChallengedKey {
  std::int64_t certReqId = 0;
  PublicKey key;
};
// The keys of ir, cr, kur that ask for challengeResp and that can be challenged, in the order of
// the requests. It follows from the message alone, so that popdecr finds the same ones.
std::vector<ChallengedKey> challenged_keys(const Request& request);

// popdecc: one challenge per key, in this order. In pvno 3 EnvelopedData, in pvno 2 what RSA
// encrypts directly. Nothing secret has to be kept: the witness is a digest of the integer.
Outcome<PKIBody> challenge(const std::vector<ChallengedKey>& keys, const Request& request,
                           const Requester& requester, const Services& services);

// The certReqIds of `keys` whose integer hashes to the witness of the challenge at the same place
// in `given`. Fewer or more integers than challenges prove nothing at all.
std::vector<std::int64_t> challenges_met(const std::vector<ChallengedKey>& keys,
                                         const body::popdecc& given, const body::popdecr& back);

}  // namespace cmpost
