#include "processor/proceeding/continuation.h"

#include <algorithm>

#include "base/log.h"
#include "processor/admission/asked_certificate.h"
#include "processor/admission/authentication.h"
#include "processor/admission/header_rules.h"
#include "processor/admission/revocation_passphrase.h"
#include "processor/transaction/audit_detail.h"
#include "processor/transaction/stored_request.h"

namespace cmpost {

JobId Continuation::unasked(std::string_view what) const {
  return make_job_id({view_of(what), at_.transaction->transactionID});
}

Result<void> Continuation::load_request() {
  ASSIGN_OR_RETURN(auto stored, at_.table().first_message(at_.transaction->id));
  if (!stored) return hold("the ledger has lost the request " + at_.decision.tid);
  ASSIGN_OR_RETURN(auto request, request_in(*stored, at_.shared.sealing_key));
  auto message = decode(request, at_.request.channel->limits);
  if (!message) return hold("the stored request cannot be read: " + message.error().text());
  at_.request.message = std::move(*message);
  at_.request.der = std::move(request);
  at_.request.digest = stored->digest;
  TRY(find_question(stored->reply_body == "popdecc"));
  at_.request.waited = &*at_.waiting;
  at_.request.transaction = at_.transaction->id;
  at_.request.peer = route().address;
  at_.request.source = at_.waiting->envelope.source;
  return {};
}

// What the answers are about: the request, or the popdecr that has taken it up again.
Result<void> Continuation::find_question(bool challenged) {
  question_ = at_.request.message.header;
  question_digest_ = at_.request.digest;
  if (!challenged) return {};
  ASSIGN_OR_RETURN(const auto messages, at_.table().messages(at_.transaction->id));
  const auto found = std::ranges::find(messages, "popdecr", &StoredMessage::body);
  if (found == messages.end()) return hold("the ledger has lost popdecr " + at_.decision.tid);
  ASSIGN_OR_RETURN(const auto request, request_in(*found, at_.shared.sealing_key));
  const auto message = decode(request, at_.request.channel->limits);
  if (!message) return hold("the stored popdecr cannot be read: " + message.error().text());
  question_ = message->header;
  question_digest_ = found->digest;
  return {};
}

// As it is by now, or as it was when the request came.
Outcome<void> Continuation::authenticate_again(Judged judged) {
  ASSIGN_OR_RETURN(at_.request.wishes,
                   check_header(at_.request.message, *at_.request.channel, at_.waiting->received));
  const auto now = at_.request.now, sure = at_.request.sure;
  if (judged == Judged::on_arrival || channel().waiting.judge_on_arrival) {
    at_.request.now = at_.waiting->received;
    at_.request.sure = std::min(sure, at_.waiting->received);
  }
  // An RA does this for every answer of the CA.
  at_.request.signature_known = judged == Judged::on_arrival;
  auto requester = authenticate(at_.request, at_.services());
  at_.request.signature_known = false;
  auto allowed = requester ? check_may_open(*requester, at_.request.message.body) : Checked<void>();
  at_.request.now = now;
  at_.request.sure = sure;
  if (!requester) return failure(std::move(requester).error());
  at_.requester = std::move(*requester);
  mean_only_profile(at_.request, *at_.requester);
  // What a CA above has granted by now is not refused for what has become of a right since.
  if (!allowed && judged == Judged::as_the_channel_says) return failure(allowed.error());
  return {};
}

bool Continuation::decides(const WaitingPart& part, bool overdue) const {
  switch (part.state) {
    case PartState::agreed:
    case PartState::approved:
    case PartState::listed:
    case PartState::rejected:
    case PartState::upstream:
      return true;
    case PartState::undecided:
    case PartState::unlisted:
    case PartState::held:
      return overdue;
    default:
      return false;
  }
}

void Continuation::note_answers(const Answer& answer, bool overdue) {
  for (auto& part : after_.parts) {
    if (!decides(part, overdue || answer.decides_all)) continue;
    const auto again = std::ranges::find(answer.undecided, part.certReqId, &WaitingPart::certReqId);
    if (again == answer.undecided.end()) {
      part.answer = answer_to(part, answer.body);
      part.state = PartState::ready;
    } else if (part.state == PartState::listed) {
      part = *again;  // people hear of it for the first time, or its row is gone
    } else if (again->state == PartState::undecided || again->state == PartState::held) {
      ask_again(part, *again);
    } else {
      part.state = again->state;  // the CA above is asked, or the rest has to be decided first
    }
  }
  if (after_.all_decided() || after_.is_upstream()) after_.decide_by.reset();
  if (after_.all_decided()) after_.interim_at.reset();
  // A refusal of the rest takes back nothing.
  const bool grants = !answer.certificates.empty();
  if (grants || at_.transaction->certificates.empty()) {
    after_.implicitConfirm = answer.implicitConfirm;
  }
  for (auto certificate : answer.certificates) {
    certificate.settled = answer.implicitConfirm;
    certificate.delivery = IssueState::ready;
    at_.transaction->certificates.push_back(std::move(certificate));
  }
}

// What becomes of the rest takes nothing away from what others have got: an error is about the part
// alone, then.
PKIBody Continuation::answer_to(const WaitingPart& part, const PKIBody& body) const {
  const auto* error = std::get_if<body::error>(&body);
  const auto sibling = std::ranges::find_if(after_.parts, [](const WaitingPart& one) {
    return (one.state == PartState::ready || one.state == PartState::delivered) &&
           cert_response(one.answer) != nullptr;
  });
  if (error == nullptr || sibling == after_.parts.end()) return part_of(body, part.certReqId);
  return as_sibling_of(sibling->answer, *error, part.certReqId);
}

// Something else would be granted than what they have agreed to: nothing is, before they agree to
// that.
void Continuation::ask_again(WaitingPart& part, const WaitingPart& again) {
  at_.decision.effects.audit.push_back(asked_again_entry(*at_.transaction, part, again));
  log::warning("request.asked_again",
               {{"tid", at_.decision.tid}, {"part", part.certReqId}, {"why", again.why}});
  part = again;
  at_.decision.outcome = "waits for approval once more: " + printable(again.why);
}

Result<void> Continuation::take_header_passphrase(const Answer& answer) {
  const auto* item = header_passphrase(at_.request.message.header, *at_.request.channel);
  const bool granted =
      !at_.transaction->certificates.empty() || !answer.refused || answer.effects.grants();
  if (item == nullptr || !at_.requester || !after_.all_decided() || !granted) return {};
  ASSIGN_OR_RETURN(auto taken,
                   apart(take_passphrase(*item, at_.request, *at_.requester, at_.services())));
  if (!taken) {
    log::warning("passphrase.refused_after_waiting",
                 {{"tid", at_.decision.tid}, {"reason", taken.error().text}});
    return {};
  }
  at_.decision.effects.audit.push_back(passphrase_entry(taken->subject));
  at_.decision.effects.passphrase = std::move(*taken);
  return {};
}

Result<Bytes> Continuation::built(ReplyParts reply, const FromAbove* above) {
  if (above == nullptr || above->octets.empty()) {
    return at_.build(header(), std::move(reply), after_.pushed_body);
  }
  after_.pushed_body = body_name(reply.body);
  return above->octets;
}

Result<Decision> Continuation::pass_on(const FromAbove* above) {
  // Octets of the CA above answer what it was sent, not a poll here.
  const bool whole = above != nullptr && !above->octets.empty();
  const bool push = after_.all_decided() && !after_.all_delivered() &&
                    (!after_.told || channel().waiting.push || whole);
  if (!push) {
    store(at_.decision.effects);
    at_.note_in_audit("");
    return at_.stay_silent(at_.decision.outcome +
                           (after_.is_upstream() ? "" : "; the requester polls for it"));
  }
  std::vector<const WaitingPart*> parts;
  for (const auto& part : after_.parts) {
    if (part.state == PartState::ready) parts.push_back(&part);
  }
  const auto nonce = above != nullptr && !above->senderNonce.empty()
                         ? above->senderNonce
                         : at_.shared.random.bytes(kNonceSize);
  ReplyParts reply{merged(parts), after_.implicitConfirm, {}, nonce};
  if (above != nullptr) reply.chain = above->chain;
  reply.takes_passphrase = at_.decision.effects.passphrase.has_value();
  for (auto& part : after_.parts) note_delivered(part, *at_.transaction);
  if (at_.transaction->awaits_confirm()) {
    reply.confirmWaitTime = at_.request.now + channel().confirm_within;
    if (above != nullptr && above->confirmWaitTime) {
      reply.confirmWaitTime = std::min(*reply.confirmWaitTime, *above->confirmWaitTime);
    }
  }
  ASSIGN_OR_RETURN(after_.pushed, built(std::move(reply), above));
  if (nonce.size() == kNonceSize) after_.note_nonce(nonce);
  at_.transaction->our_nonce = nonce;
  store(at_.decision.effects);
  at_.note_in_audit(after_.pushed_body);
  return push_again(after_);
}

void Continuation::store(Effects& effects) {
  const auto before = before_state_;
  auto& transaction = *at_.transaction;
  if (after_.all_delivered()) {
    at_.await_confirm(transaction, unasked("final"));
    transaction.state =
        transaction.awaits_confirm() ? TransactionState::open : TransactionState::closed;
  }
  effects.advance = Effects::Advance{transaction, before};
  effects.waiting = after_;
  if (after_.all_decided()) {
    const bool in_rounds = after_.parts.size() > 1;
    effects.settled = in_rounds
                          ? Effects::Settled{question_digest_, outcome_of(after_.parts),
                                             result_of(after_.parts), failInfo_of(after_.parts)}
                          : Effects::Settled{question_digest_, at_.decision.outcome,
                                             at_.decision.result, at_.decision.failInfo};
  }
}

Decision Continuation::push_again(const Waiting& waiting) {
  return at_.send(unasked("final"), route(), waiting.pushed_body, waiting.pushed,
                  waiting.envelope.source);
}

}  // namespace cmpost
