// One handler per body: from a request whose sender is known to an answer and what it changes.
#pragma once

#include "base/random.h"
#include "ca/ledger.h"
#include "cmp/pki_failure_info.h"
#include "crypto/seal.h"
#include "processor/authority.h"
#include "processor/effects.h"
#include "processor/request.h"
#include "processor/requester.h"

namespace cmpost {

struct EnvelopeLog;

// What handlers may use. One per worker thread; `ledger` is the worker's own connection.
struct Services {
  const Authority& authority;
  LedgerReader& ledger;
  const SealingKey& sealing_key;
  Random& random;
  // Of the message that is worked on: the tokens in it (secret_key) and the requests that use them,
  // and those that were wrong.
  std::vector<std::pair<std::string, std::int64_t>> tokens{};
  std::vector<SecretFailure> token_failures{};
  // What becomes of received envelopes; nullptr where nothing is to be noted.
  EnvelopeLog* envelopes = nullptr;
};

// The answer of a handler. For a request that has waited (Request::waited) it is about the parts
// that have been decided since. Everything else of the message (protection, nonces, ...) is
// reply.h's.
struct Answer {
  PKIBody body;
  Effects effects;
  bool implicitConfirm = false;  // granted
  bool awaits_confirm = false;   // certificates are out, certConf is due
  bool unprotected = false;      // to who has proven nothing (RFC 9810 Appendix E)
  bool challenges = false;       // popdecc: nothing else happens before popdecr comes
  std::vector<TransactionCertificate> certificates;  // that it carries
  Bytes old_serial;                                  // kur
  // What somebody has to agree to first; in `body` these have the status waiting.
  std::vector<WaitingPart> undecided;
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
// An answer that is an error message.
Answer refusal(const Rejection& rejection);

// ir, cr, kur, ccr and p10cr. Faults of the body are
// part of the Answer: ip, cp, kup or ccp with a rejection; a Trouble is for everything
// else.
Outcome<Answer> handle_certification(const Request& request, const Requester& requester,
                                     Services& services);
Outcome<Answer> handle_p10cr(const Request& request, const Requester& requester,
                             Services& services);
// rr.
Outcome<Answer> handle_revocation(const Request& request, const Requester& requester,
                                  Services& services);
// krr, where the channel has `recovery`: always after the consent of two people.
// Faults are in krp; badRequest where it is off.
Outcome<Answer> handle_recovery(const Request& request, const Requester& requester,
                                Services& services);
PKIBody waiting_krp();  // krp with status waiting
// genm.
Outcome<Answer> handle_genm(const Request& request, const Requester& requester, Services& services);

// The next two go on with `transaction`, which is open and the requester's.
// certConf.
Outcome<Answer> handle_certConf(const Request& request, const Requester& requester,
                                const Transaction& transaction, Services& services);
// certConf is about `transaction.certificates`, all of them.
// error from the requester: the end of the transaction.
Outcome<Answer> handle_error(const Request& request, const Requester& requester,
                             const Transaction& transaction, Services& services);

// The revocation of what a requester did not accept or did not confirm in time.
Outcome<Effects> withdraw(const Transaction& transaction, std::string_view why, Time now,
                          Services& services);

}  // namespace cmpost
