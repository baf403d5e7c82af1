// What a requester gets, and what it means that one is silent: what an instance is decides, a CA or
// an RA. Everything around it (who asks, headers, protection, transactions, waiting) is the same.
#pragma once

#include "processor/admission/check_verdict.h"
#include "processor/admission/request.h"
#include "processor/admission/services.h"
#include "processor/rights/requester.h"
#include "processor/transaction/answer.h"
#include "processor/upstream/own_renewal.h"
#include "processor/upstream/upstream_answer.h"
#include "processor/upstream/upstream_table.h"
#include "queue/order_job.h"

namespace cmpost {

// An answer that a CA above has given to a message of ours. Borrowed.
struct Heard {
  const UpstreamMessage& asked;
  const Request& answer;  // its protection holds, and ...
  const Requester& signer;
  const Request& question;     // of the requester: what has opened the transaction
  const Request& replied_to;   // of the requester: what is answered by it; the same, or certConf
  const Requester* requester;  // nullptr: it is not believed any more
  const Transaction& transaction;
};

// The same about our own certificate. Borrowed.
struct OwnHeard {
  const OwnRenewal& renewal;
  const UpstreamMessages& messages;
  const UpstreamMessage& asked;
  const PKIBody& question;  // what has asked for the certificate
  const Request& answer;    // its protection holds, and ...
  const Requester& signer;
};

// What a CA that speaks no CMP, or a person for it, has said about an order. Borrowed.
struct HeardOrder {
  const UpstreamMessage& asked;
  OrderNews news;
  // news = certificates: what has come, the one for the key of the order first.
  const std::vector<Certificate>& certificates;
  std::string_view text;  // else: why, or who says so
  // That it came by; nullptr: it is gone, and no certificate has come.
  const ChannelPolicy* channel;
  const Request& question;     // of the requester: what has opened the transaction
  const Requester* requester;  // nullptr: it is not believed any more
  const Transaction& transaction;
  Time now{};
};

// One for each instance; any thread. All calls only plan: what they say happens by their Effects. A
// Rejection becomes an error message: of open() it ends the transaction that would have been
// opened, of the others it leaves the transaction as it is. An Error is ours.
class Role {
 public:
  virtual ~Role() = default;

  // No message can be worked on before: a clock that says so is wrong.
  virtual Time begins() const = 0;
  // What protects our messages has ended, and nobody believes them any more: only the answers that
  // bring the next one are worked on.
  virtual bool is_over(Time) const { return false; }

  // The answer to a message that opens a transaction. Where somebody has to agree first
  // (ChannelPolicy::approvals), everything is checked and Answer::undecided says what waits; when
  // such a request comes back (Request::waited) the answer is about what has been decided. Also of
  // one that was parked for a challenge (Request::challenges_met).
  virtual Outcome<Answer> open(const Request& request, const Requester& requester,
                               Services& services) const = 0;

  // The next two go on with `transaction`, which is open and the requester's.
  // certConf about `transaction.certificates`, all of them.
  virtual Outcome<Answer> confirm(const Request& request, const Requester& requester,
                                  const Transaction& transaction, Services& services) const = 0;
  // An error from the requester: the end.
  virtual Outcome<Answer> give_up(const Request& request, const Requester& requester,
                                  const Transaction& transaction, Services& services) const = 0;

  // pollReq in such a transaction. nullopt: what waits here is the answer.
  virtual Outcome<std::optional<Answer>> poll(const Request& request, const Requester& requester,
                                              const Transaction& transaction,
                                              Services& services) const = 0;

  // Whether somebody may answer for the CA above, once its protection holds; then what the answer
  // means for the requester. A Rejection of the first: it counts as never come. Of the second: what
  // the requester is told instead.
  virtual Checked<void> check_above(const Request& answer, const Requester& signer) const = 0;
  virtual Outcome<Answer> hear(const Heard& heard, Services& services) const = 0;
  // One that nothing waits for any more (`asked` has ended): certificates in it that nobody has.
  virtual Outcome<Effects> hear_late(const Heard& heard, Services& services) const = 0;
  // Such a certificate is to be revoked: what asks for that. A Rejection: the CA cannot be asked.
  virtual Outcome<Effects> revoke(const Orphan& orphan, Time now, Services& services) const = 0;
  // The same of an order. A Rejection: it counts as never come, and its text is for a person.
  virtual Outcome<Answer> hear_order(const HeardOrder& heard, Services& services) const = 0;
  // The CA above has asked us to come back: pollReq of our own.
  virtual Outcome<UpstreamMessage> ask_again(const UpstreamMessage& asked, const Request& question,
                                             Services& services) const = 0;

  // The same two about our own certificate. A Rejection of the first: it counts as never come.
  virtual Outcome<Effects> hear_own(const OwnHeard& heard, Services& services) const = 0;
  virtual Outcome<UpstreamMessage> ask_again_own(const UpstreamMessages& messages,
                                                 const UpstreamMessage& asked, Time now,
                                                 Services& services) const = 0;

  // Those of `messages` that have been collected for one channel, under one protection of ours (RFC
  // 9483 5.2.2.2). Not empty.
  virtual Result<UpstreamBatch> wrap(const std::vector<UpstreamMessage>& messages,
                                     const ChannelPolicy& channel, Time now,
                                     Services& services) const = 0;

  // The time for certConf is over: what that means for the certificates of `transaction`, all of
  // which it is awaited for.
  virtual Result<Effects> end(const Transaction& transaction, UnconfirmedRule rule, Time now,
                              Services& services) const = 0;

  // The checks of the body once more, as ledger and settings are now.
  virtual Result<CheckVerdicts> explain(const Request& request, const Requester& requester,
                                        Services& services) const = 0;
};

}  // namespace cmpost
