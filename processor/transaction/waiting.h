// A request that cannot be answered at once: waiting is a state of its Transaction (RFC 9483 4.4,
// RFC 9810 5.3.22).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cmp/pki_body.h"
#include "crypto/keys/algorithm.h"
#include "processor/transaction/transaction.h"
#include "queue/job.h"

namespace cmpost {

// The certReqId of p10cr and of what is not about one certificate.
constexpr std::int64_t kWholeMessage = -1;

// Spelled in the database and in listings as here.
enum class PartState {
  undecided,
  unlisted,   // its device has no row in the list of devices: people can refuse it, not grant it
  listed,     // by now it has one, and is judged as if it had just come
  held,       // by a rule: as long as it says so people can refuse it, not grant it
  agreed,     // by as many as the channel wants, and not granted before the rest is decided as well
  upstream,   // the CA above decides: nobody here can, and only its answer counts
  approved,   // by as many as the channel wants; not granted yet
  rejected,   // by an operator; the answer is not made yet
  ready,      // `answer` is there
  delivered,  // and has been sent at least once
};
std::string_view to_string(PartState state);
std::optional<PartState> part_state(std::string_view text);

// A CertReqMsg of ir, cr, kur; or all of p10cr, rr, genm.
struct WaitingPart {
  std::int64_t certReqId = kWholeMessage;
  PartState state = PartState::undecided;
  std::string subject;  // what is asked for, in a word, for people who decide
  // What they decide about (consent_object.h), encoded; empty: it waits since a version that did
  // not keep it, and nothing is granted by it.
  Bytes object;
  std::int64_t round =
      0;               // how often they were asked anew, because something else would be granted
  std::string why;     // ... and what
  std::string reason;  // rejected: the operator's
  // The rule that has asked for so many people, or holds it, or (agreed by nobody) has agreed;
  // empty: the channel says how many.
  std::string rule;
  int people = 0;
  PKIBody answer;  // ready, delivered: the final response as far as it is about this part

  // SHA-256 of the object; nullopt when there is none.
  std::optional<Sha256> digest() const;
};

// What the ledger keeps of such a request beside its Transaction. Everything that changes
// it counts `version` up, so that two who planned on the same version do not both take effect.
struct Waiting {
  std::int64_t transaction = 0;  // row id
  std::int64_t version = 0;
  Time received{};
  Envelope envelope;  // of the request: where a final response goes that nobody polls for
  std::optional<Time> interim_at;  // the requester hears `waiting` at this time
  std::optional<Time> decide_by;   // then it is told systemUnavail
  bool told = false;               // it has heard `waiting`, so that it polls
  bool implicitConfirm = false;    // granted in the answers that are ready
  std::optional<Time> asked;       // the last pollReq
  std::int64_t polls = 0;
  std::vector<Bytes> our_nonces;  // of our latest messages: a poll may cross an answer
  std::vector<WaitingPart> parts;
  std::string pushed_body;  // the final response that left without a poll, empty: none
  Bytes pushed;

  bool all_decided() const;  // no part is undecided, approved or rejected
  bool all_delivered() const;
  bool is_upstream() const;  // a part is the CA's above
  bool is_unlisted() const;  // a part waits for the row of its device
  bool needs_work() const;   // a part is approved, rejected or listed: see resume.h
  WaitingPart* part(std::int64_t certReqId);
  const WaitingPart* part(std::int64_t certReqId) const;
  void note_nonce(const Bytes& nonce);  // forgets the oldest of many
  bool knows_nonce(const Bytes& nonce) const;
};

// It has been sent to its requester, and so have the certificates in it.
void note_delivered(WaitingPart& part, Transaction& transaction);

// One body from those of several parts; they are of the same kind. `parts` is not empty.
PKIBody merged(const std::vector<const WaitingPart*>& parts);
// The body about one part: the CertResponse with this certReqId, or the whole.
PKIBody part_of(const PKIBody& body, std::int64_t certReqId);
// An error about a part whose siblings have answers of their own, as one more of these.
PKIBody as_sibling_of(const PKIBody& sibling, const body::error& error, std::int64_t certReqId);
// A CertResponse with status waiting: no failInfo, no key pair.
CertResponse waiting_response(std::int64_t certReqId);
// An error message with status waiting.
PKIBody waiting_error();
PKIBody waiting_krp();  // krp with that status

// The job that makes the processor look at a decision or a timer (see resume.h); `why` tells those
// of one version apart. Its id follows from the arguments: putting it again changes nothing.
inline constexpr std::string_view kVerdictGiven = "verdict", kInterimDue = "interim",
                                  kTimeOver = "overdue";
Job resume_job(const Bytes& transactionID, const Waiting& waiting, std::string_view why);
bool is_resume_job(const Job& job);

}  // namespace cmpost
