// What is said to a request, before it is a message.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cmp/pki_body.h"
#include "cmp/pki_failure_info.h"
#include "processor/transaction/effects.h"
#include "processor/transaction/transaction.h"
#include "processor/transaction/waiting.h"

namespace cmpost {

// What a CA above has said, as far as it is more than a body.
struct FromAbove {
  // For the requester as they came, where the answer is not ours to make; else empty.
  Bytes octets;
  Bytes senderNonce;  // of the answer; where we make it, too (RFC 9483 5.2.3)
  // It is not the last word: the requester polls (octets), or we do, not before this time.
  bool waits = false;
  std::optional<Time> ask_again{};
  std::optional<Time> confirmWaitTime{};
  std::vector<CMPCertificate> chain{};  // for the extraCerts of what we make of it
};

// The answer of a handler. For a request that has waited (Request::waited) it is about the parts
// that have been decided since. Everything else of the message (protection, nonces, ...) is
// reply.h's.
struct Answer {
  PKIBody body;
  Effects effects;
  bool implicitConfirm = false;  // granted
  bool awaits_confirm = false;   // certificates are out, certConf is due
  // The CA above is asked first (Effects::send_up), and nothing is said before it answers. Of what
  // opens a transaction `undecided` says so instead.
  bool passed_up = false;
  Seldom<FromAbove> from_above;
  bool unprotected = false;  // to who has proven nothing (RFC 9810 Appendix E)
  bool challenges = false;   // popdecc: nothing else happens before popdecr comes
  std::vector<TransactionCertificate> certificates;  // that it carries
  Bytes old_serial;                                  // kur
  // What somebody has to agree to first; in `body` these have the status waiting.
  std::vector<WaitingPart> undecided;
  bool decides_all = false;  // also the parts that nobody has decided about
  // What of it is refused, if anything: all of it, or `partly`, where something else is granted or
  // waits. Of several refusals the last.
  std::optional<Rejection> refused;
  bool partly = false;
  std::string outcome;  // of what is not refused: "accepted"; nothing is decided by it

  void refuse(const Rejection& rejection) { refused = rejection; }
};

// An answer in the words of listings, log and audit: "accepted", "rejection badPOP: the signature
// is wrong". Made last, from what has been decided.
std::string outcome_of(const Answer& answer);
// The same of a request whose parts were decided one after the other; "unknown: ..." where what was
// told of one of them is not there.
std::string outcome_of(const std::vector<WaitingPart>& parts);
// The same as a fact.
MessageResult result_of(const Answer& answer);
MessageResult result_of(const std::vector<WaitingPart>& parts);
// The bit of the last of them that is refused, by its name; empty: none is.
std::string failInfo_of(const Answer& answer);
std::string failInfo_of(const std::vector<WaitingPart>& parts);
// An answer that is an error message.
Answer refusal(const Rejection& rejection);

// An error message's body: exactly the rejection's bit.
PKIBody error_body(const Rejection& rejection);

// What a body says about one part of a request, or about all of it; of several revocations the
// first that is not granted.
std::optional<PKIStatusInfo> status_about(const PKIBody& body, std::int64_t certReqId);
bool is_granted(const PKIStatusInfo& status);
// "badPOP: the signature is wrong".
std::string words_of(const PKIStatusInfo& status);

}  // namespace cmpost
