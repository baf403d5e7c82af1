// What a message gets.
#include <algorithm>

#include "processor/admission/private_key_leaves.h"
#include "processor/admission/revocation_passphrase.h"
#include "processor/dialogue/responder.h"
#include "processor/transaction/audit_detail.h"
#include "processor/transaction/claims.h"
#include "queue/answer_message_id.h"

namespace cmpost {

namespace {

constexpr std::size_t kLongestTid = 64;  // that is kept of one which is not used

// A mailbox that replies to everything, with all that it ever got, would else get the same answer
// for ever: each reply has our answer among its references and the request in it.
bool answers_ours(const Route& route, std::string_view domain) {
  std::string_view rest = route.references;
  while (!rest.empty()) {
    const auto end = std::min(rest.find(' '), rest.size());
    if (is_answer_message_id(rest.substr(0, end), domain)) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

}  // namespace

Result<Decision> Responder::answer(LedgerReader& ledger) {
  at_.ledger = &ledger;
  note_digest();
  return std::visit([this](auto& found) { return answer_to(found); }, finding_);
}

Result<Decision> Responder::answer_to(const finding::Unroutable& found) {
  if (in_batch()) return refuse({PKIFailureInfo::badDataFormat, found.why});
  note_refusal(nullptr, found.why, {});
  return at_.keep_for_operator(found.why);
}

Result<Decision> Responder::answer_to(const finding::Faulty& found) {
  return refuse_or_ignore(found.rejection);
}

void Responder::note_other_name() {
  const auto& name = at_.envelope.source;
  if (name.empty() || name == at_.transaction->source) return;
  at_.decision.effects.repeated = Effects::Repeated{at_.transaction->id, name};
}

Result<Decision> Responder::answer_to(finding::Repeated& found) {
  auto& before = *found.stored;
  if (before.reply_body.empty()) {
    if (in_batch()) return refuse({PKIFailureInfo::systemUnavail, "its answer is not there yet"});
    note_other_name();
    return at_.stay_silent("the same message again: it waits");
  }
  const auto* mail = channel().mail();
  if (mail != nullptr && answers_ours(at_.envelope.reply, mail->domain)) {
    return at_.stay_silent("the same message again, in a mail that answers our answer to it");
  }
  // the same message, and perhaps another address to answer to.
  if (const auto allowed = check_may_leave(at_.request); !allowed) {
    const auto answer = decode(before.reply, {});
    if (!answer || carries_private_key(answer->body)) return refuse(allowed.error());
  }
  note_other_name();
  at_.decision.outcome = "the same message again: its answer is sent again";
  return at_.send(own_reply(), at_.envelope.reply, before.reply_body, std::move(before.reply));
}

Result<Decision> Responder::answer_to(const finding::Unanswered& found) {
  return stay_silent(found.why);
}

Result<Decision> Responder::answer_to(finding::Given& found) {
  return answered(*std::move(found.answer), Step::none);
}

Result<Decision> Responder::answer_to(finding::Asked) {
  CHECK(at_.requester);  // check() comes before
  ASSIGN_OR_RETURN(const auto taken, apart(take_header_passphrase()));
  if (!taken) return refuse_or_ignore(taken.error());
  return finish(work());
}

// R-218: "MAY be sent [...] in the generalInfo field of the PKIHeader of any PKIMessage at any
// time."
Outcome<void> Responder::take_header_passphrase() {
  const auto* item = header_passphrase(request_header(), *at_.request.channel);
  const bool concerns =
      item != nullptr && at_.requester && !std::holds_alternative<body::nested>(body());
  if (!concerns) return {};
  if (at_.request.channel->approvals("genm") > 0) {
    return reject(PKIFailureInfo::badRequest,
                  "people agree to a revocation passphrase here, which genm brings to them");
  }
  ASSIGN_OR_RETURN(passphrase_,
                   take_passphrase(*item, at_.request, *at_.requester, at_.services()));
  return {};
}

Result<Decision> Responder::finish(Worked&& worked) {
  ASSIGN_OR_RETURN(auto next, apart(std::move(worked.next)));
  if (!next) return refuse_or_ignore(next.error(), worked.step);
  return finish(*std::move(next), worked.step);
}

Result<Decision> Responder::finish(Next&& next, Step step) {
  if (auto* answer = std::get_if<Answer>(&next)) {
    if (answer->passed_up) return passed_up(std::move(*answer), step);
    return answer->undecided.empty() ? answered(std::move(*answer), step)
                                     : waits(std::move(*answer), step);
  }
  if (auto* poll = std::get_if<PollAnswer>(&next)) return polled(std::move(*poll));
  auto& early = std::get<Decision::Early>(next);
  at_.decision.outcome = early.reason;
  at_.decision.what = std::move(early);
  return std::move(at_.decision);
}

Result<Decision> Responder::stay_silent(const std::string& why) {
  if (in_batch() && at_.decision.effects.announcement) return acknowledge(why);
  if (in_batch()) return refuse({PKIFailureInfo::badMessageCheck, why});
  count_failures();
  at_.note_envelopes();
  if (!at_.decision.effects.announcement) note_refusal(nullptr, why, {});
  return at_.stay_silent(why);
}

// Each member of a batch has an answer, also an announcement, which elsewhere has none.
Result<Decision> Responder::acknowledge(const std::string& why) {
  at_.decision.outcome = why;
  std::string reply_body;
  ReplyParts parts{body::pkiconf{}, false, {}, at_.shared.random.bytes(kNonceSize)};
  ASSIGN_OR_RETURN(auto der, at_.build(request_header(), std::move(parts), reply_body));
  return at_.send(own_reply(), at_.envelope.reply, reply_body, std::move(der));
}

void Responder::count_failures() {
  at_.decision.effects.secret_failure = std::move(secret_failure_);
  at_.decision.effects.token_failures = std::move(at_.tokens.failures);
  at_.decision.effects.failures_from = at_.request.sure - channel().mac.lock_time;
}

// An error message. Of an authenticated requester it ends a transaction that it would have
// opened, so that the same octets get the same answer; every other leaves no trace but the audit
// record.
Result<Decision> Responder::refuse(const Rejection& rejection, Step step) {
  return answered(refusal(rejection), step);
}

// Nobody waits for an answer to an error message that ends nothing, and two peers must not argue
// for ever.
Result<Decision> Responder::refuse_or_ignore(const Rejection& rejection, Step step) {
  if (!expects_nothing_ || in_batch()) return refuse(rejection, step);
  return stay_silent("nothing that an answer is expected to: " + rejection.text);
}

Result<Decision> Responder::answered(Answer&& answer, Step step) {
  auto nonce = at_.shared.random.bytes(kNonceSize);
  ReplyParts parts{std::move(answer.body), answer.implicitConfirm, {}, nonce};
  if (std::holds_alternative<body::error>(parts.body)) passphrase_.reset();
  // What the header of a message leaves that people are asked about waits with it (resume.cpp),
  // also while the possession of its key is proven.
  const bool asks_people =
      at_.request.channel->approvals(body_name(body())) > 0 || asks_rules(at_.request);
  if (answer.challenges && asks_people && step != Step::takes_up) passphrase_.reset();
  parts.takes_passphrase = passphrase_.has_value();
  parts.unprotected = answer.unprotected;
  if (answer.awaits_confirm) parts.confirmWaitTime = at_.request.now + channel().confirm_within;
  std::string reply_body;
  ASSIGN_OR_RETURN(auto der, at_.build(request_header(), std::move(parts), reply_body));
  note_outcome(answer, step);
  switch (step) {
    case Step::none:
      if (answer.refused) note_refusal(&*answer.refused, answer.refused->text, reply_body);
      break;
    case Step::opens:
    case Step::takes_up:
      change_to(transaction_after(answer, nonce));
      break;
    case Step::goes_on:
    case Step::gives_up:
      go_on_from(nonce, step == Step::gives_up);
      break;
  }
  if (step != Step::none) {
    ASSIGN_OR_RETURN(at_.decision.effects.message, stored(reply_body, der));
  }
  at_.note_in_audit(reply_body);
  return at_.send(own_reply(), at_.envelope.reply, reply_body, std::move(der));
}

Result<Decision> Responder::answer_with(PKIBody reply, std::string outcome, LedgerReader& ledger) {
  at_.ledger = &ledger;
  Answer answer;
  answer.body = std::move(reply);
  answer.outcome = std::move(outcome);
  return answered(std::move(answer), Step::opens);
}

Result<StoredMessage> Responder::stored(const std::string& reply_body, const Bytes& reply) {
  // The messages of a batch, and the answers to them, are stored with their own transactions.
  if (std::holds_alternative<body::nested>(body())) return at_.stored(reply_body, {});
  if (at_.request.der.empty()) at_.request.der = to_bytes(arrival_.der);
  return at_.stored(reply_body, reply);
}

// What is not kept with a transaction. Nothing of it is believed that is not proven.
void Responder::note_refusal(const Rejection* rejection, std::string reason,
                             std::string reply_body) {
  RefusedRequest refused;
  refused.at = at_.request.now;
  refused.channel = arrival_.envelope.channel;
  refused.job = to_bytes(ByteView(arrival_.carrier.value_or(arrival_.job).octets));
  refused.source = short_text(arrival_.envelope.source);
  refused.digest = at_.request.digest;
  refused.stage = stage_;
  if (rejection != nullptr) refused.failInfo = to_string(rejection->failInfo);
  refused.reason = printable(reason, 500);
  refused.reply_body = std::move(reply_body);
  if (readable_) {
    auto claims = claims_of(at_.request.message);
    if (stage_ > Milestone::encoding) refused.body = body_name(body());
    const auto& tid = request_header().transactionID;
    if (tid)
      refused.transactionID = to_bytes(ByteView(*tid).first(std::min(tid->size(), kLongestTid)));
    refused.known = at_.requester.has_value();
    refused.requester =
        refused.known ? short_text(at_.requester->text()) : std::move(claims.sender);
    refused.subject = std::move(claims.subject);
    refused.serial = std::move(claims.serial);
  }
  if (at_.decision.effects.secret_failure) {
    refused.note = "the secret " +
                   printable(plain_reference(at_.decision.effects.secret_failure->reference)) +
                   " is known here: the MAC is wrong";
  }
  at_.decision.effects.refused = std::move(refused);
}

// What follows in a transaction goes to the CA above, which alone can answer it.
Result<Decision> Responder::passed_up(Answer&& answer, Step step) {
  const auto before = at_.transaction->state;
  auto after = *at_.transaction;
  // Nothing is due of the requester any more.
  if (step == Step::goes_on) {
    after.confirm_by.reset();
    after.reply.clear();
    for (auto& one : after.certificates) {
      if (is_confirmed(one)) one.delivery = IssueState::confirmed;
    }
  }
  note_outcome(answer, step);
  std::string reply_body;
  Bytes der;
  if (in_batch()) {
    auto nonce = at_.shared.random.bytes(kNonceSize);
    after.our_nonce = nonce;
    ReplyParts parts{waiting_error(), false, {}, std::move(nonce)};
    ASSIGN_OR_RETURN(der, at_.build(request_header(), std::move(parts), reply_body));
  }
  at_.decision.effects.advance = Effects::Advance{std::move(after), before};
  ASSIGN_OR_RETURN(at_.decision.effects.message, stored(reply_body, der));
  at_.address_departures();
  at_.note_in_audit(reply_body);
  if (reply_body.empty()) return at_.stay_silent(at_.decision.outcome);
  return at_.send(own_reply(), at_.envelope.reply, reply_body, std::move(der));
}

void Responder::keep_passphrase() {
  if (!passphrase_) return;
  at_.decision.effects.audit.push_back(passphrase_entry(passphrase_->subject));
  at_.decision.effects.passphrase = std::move(passphrase_);
}

// A KEM ciphertext is good for one transaction.
void Responder::keep_established() {
  if (!at_.requester || !at_.requester->established) return;
  at_.decision.effects.kem_secrets.push_back(*std::move(at_.requester->established));
}

void Responder::note_outcome(Answer& answer, Step step) {
  at_.decision.effects = std::move(answer.effects);
  count_failures();
  keep_passphrase();
  if (step != Step::none) keep_established();
  at_.conclude(answer);
}

// A new one, or that of the parked request which popdecr takes up again.
Transaction Responder::transaction_after(const Answer& answer, const Bytes& nonce) const {
  Transaction transaction;
  if (at_.transaction) {
    transaction = *at_.transaction;
  } else {
    transaction.transactionID = *request_header().transactionID;
    transaction.channel = channel().name;
    transaction.body = body_name(body());
    transaction.pvno = request_header().pvno;
    transaction.credential = at_.requester->credential();
    transaction.old_serial = answer.old_serial;
    transaction.batch = arrival_.batch;
    transaction.opened = at_.request.now;
    transaction.requester = short_text(at_.requester->text());
    transaction.subject = claims_about(at_.request.message).subject;
    transaction.source = short_text(arrival_.envelope.source);
  }
  transaction.state = answer.challenges       ? TransactionState::challenged
                      : answer.awaits_confirm ? TransactionState::open
                                              : TransactionState::closed;
  transaction.our_nonce = nonce;
  transaction.certificates = answer.certificates;
  for (auto& one : transaction.certificates) one.settled = !answer.awaits_confirm;
  at_.await_confirm(transaction, carrier());
  return transaction;
}

void Responder::change_to(Transaction&& after) {
  if (at_.transaction) {
    at_.decision.effects.advance = Effects::Advance{std::move(after), at_.transaction->state};
  } else {
    at_.decision.effects.open = std::move(after);
  }
}

// After certConf or error: everything that was delivered is settled; what waits still does,
// unless the requester has given up.
void Responder::go_on_from(const Bytes& nonce, bool given_up) {
  auto after = *at_.transaction;
  for (auto& certificate : after.certificates) {
    if (given_up || is_confirmed(certificate)) certificate.settled = true;
  }
  after.our_nonce = nonce;
  at_.await_confirm(after, carrier());
  const bool ended = given_up || !at_.waiting || at_.waiting->all_delivered();
  after.state = !ended                   ? TransactionState::waiting
                : after.awaits_confirm() ? TransactionState::open
                                         : TransactionState::closed;
  at_.decision.effects.advance = Effects::Advance{std::move(after), at_.transaction->state};
  if (at_.waiting) next_version(nonce, given_up);
  if (!given_up || !at_.waiting) return;
  for (auto& part : at_.decision.effects.waiting->parts) {
    if (part.state == PartState::delivered) continue;
    part.state = PartState::delivered;
    part.answer = error_body({PKIFailureInfo::badRequest, "the requester has given up"});
  }
}

void Responder::next_version(const Bytes& nonce, bool parts_changed) {
  auto after = *at_.waiting;
  ++after.version;
  after.note_nonce(nonce);
  at_.decision.effects.waiting = std::move(after);
  at_.decision.effects.waiting_parts_changed = parts_changed;
}

// the requester hears that it waits, or nothing.
Result<Decision> Responder::waits(Answer&& answer, Step step) {
  const auto& policy = channel().waiting;
  const bool typed =
      cert_response(answer.body) != nullptr || std::holds_alternative<body::krp>(answer.body);
  // Where our protection does not stand before the CA it would not know our nonce (RFC 9483 4.4).
  const bool ours = std::ranges::all_of(answer.effects.send_up, [](const UpstreamMessage& one) {
    return answers_are_ours(one.mode);
  });
  const bool may_tell = ((typed || policy.by_error) && ours) || in_batch();
  const auto nonce = at_.shared.random.bytes(kNonceSize);
  auto transaction = transaction_after(answer, {});
  transaction.state = TransactionState::waiting;
  auto waiting = new_waiting(answer);
  // in a batch each request has an answer.
  waiting.told = in_batch() || (may_tell && policy.interim == WaitingSettings::Interim::always);
  if (!waiting.told && may_tell && policy.interim == WaitingSettings::Interim::after)
    waiting.interim_at = at_.request.likely + policy.after;
  if (step != Step::takes_up) passphrase_.reset();
  const bool takes_passphrase = passphrase_.has_value();
  note_outcome(answer, step);
  std::string reply_body;
  Bytes der;
  if (waiting.told) {
    ReplyParts parts{std::move(answer.body), false, {}, nonce};
    parts.takes_passphrase = takes_passphrase;
    ASSIGN_OR_RETURN(der, at_.build(request_header(), std::move(parts), reply_body));
    transaction.our_nonce = nonce;
    waiting.note_nonce(nonce);
    for (auto& part : waiting.parts) {
      if (part.state == PartState::ready) part.state = PartState::delivered;
    }
  }
  // For some bodies no machine stands in for a person.
  if (!ChannelPolicy::needs_people(transaction.body)) {
    at_.decision.effects.endorsed_by = at_.request.endorsed_by;
  }
  // What is granted already and not told yet leaves with the rest.
  if (!waiting.told) {
    transaction.confirm_by.reset();
    transaction.reply.clear();
  }
  change_to(std::move(transaction));
  at_.decision.effects.waiting = std::move(waiting);
  at_.address_departures();
  ASSIGN_OR_RETURN(at_.decision.effects.message, stored(reply_body, der));
  at_.note_in_audit(reply_body);
  if (reply_body.empty()) return at_.stay_silent(at_.decision.outcome);
  return at_.send(own_reply(), at_.envelope.reply, reply_body, std::move(der));
}

Waiting Responder::new_waiting(const Answer& answer) const {
  Waiting waiting;
  if (at_.transaction) waiting.transaction = at_.transaction->id;
  waiting.received = at_.request.now;
  waiting.envelope = at_.envelope;
  waiting.parts = answer.undecided;
  const auto limit = channel().waiting.decide_within;
  // What the CA above decides has a limit of its own (UpstreamMessage::answer_by).
  if (limit != Duration::zero() && !waiting.is_upstream())
    waiting.decide_by = at_.request.likely + limit;
  const auto* response = cert_response(answer.body);
  if (response == nullptr) return waiting;
  for (const auto& one : response->response) {
    if (waiting.part(one.certReqId) != nullptr) continue;
    WaitingPart refused;
    refused.certReqId = one.certReqId;
    refused.state = PartState::ready;
    refused.answer = part_of(answer.body, one.certReqId);
    waiting.parts.push_back(std::move(refused));
  }
  return waiting;
}

Result<Decision> Responder::polled(PollAnswer&& answer) {
  const auto nonce = at_.shared.random.bytes(kNonceSize);
  next_version(nonce, !answer.delivers.empty());
  auto& waiting = *at_.decision.effects.waiting;
  waiting.asked = at_.request.now;
  ++waiting.polls;
  waiting.told = true;  // who polls knows how
  waiting.interim_at.reset();
  ReplyParts parts{std::move(answer.body), false, {}, nonce};
  parts.takes_passphrase = passphrase_.has_value();
  keep_passphrase();
  keep_established();
  at_.decision.outcome = "not yet";
  if (!answer.delivers.empty()) {
    ASSIGN_OR_RETURN(parts.chain, at_.chain_from_above());
    deliver(answer.delivers, parts);
  }
  std::string reply_body;
  ASSIGN_OR_RETURN(auto der, at_.build(request_header(), std::move(parts), reply_body));
  if (!answer.delivers.empty()) {
    ASSIGN_OR_RETURN(at_.decision.effects.message, stored(reply_body, der));
  }
  at_.note_in_audit(reply_body);
  return at_.send(own_reply(), at_.envelope.reply, reply_body, std::move(der));
}

void Responder::deliver(const std::vector<std::int64_t>& parts, ReplyParts& reply) {
  auto& waiting = *at_.decision.effects.waiting;
  auto after = *at_.transaction;
  const bool again = std::ranges::all_of(
      parts, [&](std::int64_t id) { return waiting.part(id)->state == PartState::delivered; });
  for (const auto id : parts) note_delivered(*waiting.part(id), after);
  at_.decision.outcome = again ? "the final response is sent again" : "the final response";
  reply.implicitConfirm = waiting.implicitConfirm;
  if (after.awaits_confirm()) {
    reply.confirmWaitTime = at_.request.now + channel().confirm_within;
  }
  if (after.state == TransactionState::closed) return;
  after.our_nonce = reply.senderNonce;
  if (!again) at_.await_confirm(after, carrier());
  if (waiting.all_delivered()) {
    after.state = after.awaits_confirm() ? TransactionState::open : TransactionState::closed;
  }
  at_.decision.effects.advance = Effects::Advance{std::move(after), at_.transaction->state};
}

}  // namespace cmpost
