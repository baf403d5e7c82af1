#include "processor/respond.h"

#include <algorithm>

#include "processor/authentication.h"
#include "processor/dispatch.h"
#include "processor/header_rules.h"
#include "processor/polling.h"
#include "processor/proceeding.h"
#include "processor/resume.h"

namespace cmpost {
namespace {

// One arrival on its way.
class Responder {
 public:
  Responder(const Lease& lease, LedgerReader& ledger, const ProcessorServices& services, Turn turn)
      : lease_(lease), turn_(turn), at_(lease.job.id, lease.job.envelope, ledger, services) {}

  Result<Decision> run() {
    const auto& name = at_.envelope.channel;
    at_.request.channel = at_.find_channel(name);
    if (at_.request.channel == nullptr)
      return at_.keep_for_operator("the channel " + name + " is not configured any more");
    auto message = decode(lease_.job.payload, at_.request.channel->limits);
    if (!message) return undecodable(message.error());
    at_.request.message = std::move(*message);
    at_.request.der = lease_.job.payload;
    at_.request.digest = sha256(lease_.job.payload);
    if (header().transactionID) at_.decision.tid = to_hex(*header().transactionID);
    auto answer = work();
    if (answer) return finish(std::move(*answer));
    if (const auto* rejection = answer.error().rejection()) return refuse(*rejection);
    return failure(*answer.error().error());
  }

 private:
  struct Resend {
    StoredMessage stored;
  };
  struct Ignore {
    std::string why;
  };
  struct Polled {
    PollAnswer answer;
  };
  using Next = std::variant<Answer, Polled, Resend, Ignore, Decision::Early>;

  const PKIHeader& header() const { return at_.request.message.header; }
  const PKIBody& body() const { return at_.request.message.body; }
  const ChannelSettings& channel() const { return at_.request.channel->settings; }

  // Rejections from here on become error messages.
  Outcome<Next> work() {
    if (header().transactionID && !header().transactionID->empty()) {
      TRY(at_.find_transaction(*header().transactionID));
      ASSIGN_OR_RETURN(auto stored, find_duplicate());
      if (stored) return Resend{std::move(*stored)};
    }
    ASSIGN_OR_RETURN(at_.request.wishes,
                     check_header(at_.request.message, *at_.request.channel, at_.request.now));
    auto requester = authenticate(at_.request, at_.services.ledger, at_.shared.sealing_key);
    if (!requester) {
      // Nobody waits for an answer to an error message, and two peers must not argue for ever.
      const auto* rejection = requester.error().rejection();
      if (rejection != nullptr && std::holds_alternative<body::error>(body())) {
        return Ignore{"an error message without a valid protection: " + rejection->text};
      }
      return failure(std::move(requester).error());
    }
    at_.requester = std::move(*requester);
    if (opens_transaction(body())) return open();
    return go_on();
  }

  // the same octets on the same channel get the stored answer; they were verified when they
  // came first. A request that waited in silence has its answer in the final response.
  Result<std::optional<StoredMessage>> find_duplicate() {
    if (!at_.transaction || channel().strict) return std::nullopt;
    ASSIGN_OR_RETURN(auto stored, at_.table.message(at_.transaction->id, at_.request.digest));
    if (!stored || stored->channel != channel().name) return std::nullopt;
    if (stored->reply_body.empty() && at_.waiting && !at_.waiting->pushed.empty()) {
      stored->reply_body = at_.waiting->pushed_body;
      stored->reply = at_.waiting->pushed;
    }
    return stored;
  }

  Outcome<Next> open() {
    if (at_.transaction) {
      return reject(PKIFailureInfo::transactionIdInUse, "the transactionID has been used before");
    }
    TRY(check_may_open(*at_.requester, at_.request.now));
    opening_ = true;
    ASSIGN_OR_RETURN(auto answer, dispatch(at_.request, *at_.requester, at_.services));
    return answer;
  }

  // a follow-up fits a transaction that has not ended and comes
  // from the one who opened it. None of these refusals touches the transaction.
  Outcome<Next> go_on() {
    const bool polls = std::holds_alternative<body::pollReq>(body());
    if (!at_.transaction && may_be_early()) return early("it follows a message that has not come");
    const bool goes_on =
        at_.transaction &&
        (polls ? at_.waiting.has_value() : at_.transaction->state != TransactionState::closed);
    if (!goes_on) return no_transaction();
    TRY(check_credential());
    TRY(check_recip_nonce());
    if (polls) return poll();
    if (std::holds_alternative<body::certConf>(body())) {
      if (!at_.transaction->awaits_confirm()) return no_transaction();
      return handle_certConf_or_end();
    }
    if (std::holds_alternative<body::error>(body())) {
      ASSIGN_OR_RETURN(auto answer,
                       handle_error(at_.request, *at_.requester, *at_.transaction, at_.services));
      continuing_ = true;
      given_up_ = true;
      return answer;
    }
    return reject(
        PKIFailureInfo::badRequest,
        "a message with the body " + std::string(body_name(body())) + " is not expected now");
  }

  tl::unexpected<Rejection> no_transaction() const {
    const bool confirmed = at_.transaction && std::holds_alternative<body::certConf>(body());
    return reject(
        confirmed && channel().strict ? PKIFailureInfo::certConfirmed : PKIFailureInfo::badRequest,
        "no open transaction has this transactionID");
  }

  // Only who is known may wait: authentication comes first.
  bool may_be_early() const { return lease_.arrived + channel().out_of_order > at_.request.now; }

  Decision::Early early(std::string why) const {
    // Doubles with each look of another process; within one process it is looked at once more when
    // the queue is empty.
    const auto shift = std::min(lease_.attempts - 1, 9);
    return {at_.request.now + std::chrono::seconds(1 << std::max(shift, 0)), std::move(why)};
  }

  Checked<void> check_credential() const {
    const auto& transaction = *at_.transaction;
    if (transaction.credential == at_.requester->credential()) return {};
    const bool kind_differs =
        transaction.credential.starts_with("mac:") != (at_.requester->secret() != nullptr);
    return reject(kind_differs ? PKIFailureInfo::wrongIntegrity : PKIFailureInfo::notAuthorized,
                  "the transaction was opened with another credential");
  }

  // where polls and answers cross, any of our latest messages may be the one that is
  // followed. Who has heard nothing of us yet has no nonce to send.
  Checked<void> check_recip_nonce() const {
    const auto& nonce = header().recipNonce;
    const bool last = nonce && *nonce == at_.transaction->our_nonce;
    const bool known = at_.waiting && nonce && at_.waiting->knows_nonce(*nonce);
    const bool heard_nothing = at_.waiting && at_.waiting->our_nonces.empty() && !nonce;
    if (last || known || heard_nothing) return {};
    return reject(PKIFailureInfo::badRecipientNonce,
                  "recipNonce is not the senderNonce of the last answer");
  }

  Outcome<Next> poll() {
    const auto check_after = at_.request.channel->check_after(at_.request.now);
    const auto& requests = std::get<body::pollReq>(body()).requests;
    ASSIGN_OR_RETURN(auto answer, answer_poll(requests, *at_.waiting, check_after));
    if (answer.soon && turn_ == Turn::first) return early("what it asks for is being worked on");
    return Polled{std::move(answer)};
  }

  // a wrong hash is answered with an error, and the certificate counts as not confirmed.
  Outcome<Next> handle_certConf_or_end() {
    auto about = *at_.transaction;
    std::erase_if(about.certificates, &TransactionCertificate::settled);
    auto answer = handle_certConf(at_.request, *at_.requester, about, at_.services);
    continuing_ = true;
    if (answer) return std::move(*answer);
    const auto* rejection = answer.error().rejection();
    if (rejection == nullptr || rejection->failInfo != PKIFailureInfo::badCertId) {
      continuing_ = false;
      return failure(std::move(answer).error());
    }
    Answer end;
    ASSIGN_OR_RETURN(end.effects, withdraw(about, "wrong certHash", at_.request.now, at_.services));
    end.body = error_body(*rejection);
    end.outcome = outcome_of(*rejection);
    return end;
  }

  Result<Decision> finish(Next&& next) {
    if (auto* answer = std::get_if<Answer>(&next)) {
      return answer->undecided.empty() ? answered(std::move(*answer)) : waits(std::move(*answer));
    }
    if (auto* poll = std::get_if<Polled>(&next)) return polled(std::move(poll->answer));
    if (auto* resend = std::get_if<Resend>(&next)) return resent(std::move(resend->stored));
    if (auto* early = std::get_if<Decision::Early>(&next)) {
      at_.decision.outcome = early->reason;
      at_.decision.what = std::move(*early);
      return std::move(at_.decision);
    }
    return at_.stay_silent(std::get<Ignore>(next).why);
  }

  // An error message. Of an authenticated requester it ends a transaction that it would have
  // opened, so that the same octets get the same answer; every other leaves no trace but the audit
  // record.
  Result<Decision> refuse(const Rejection& rejection) {
    Answer answer;
    answer.body = error_body(rejection);
    answer.outcome = outcome_of(rejection);
    return answered(std::move(answer));
  }

  Result<Decision> answered(Answer&& answer) {
    auto nonce = at_.shared.random.bytes(kNonceSize);
    ReplyParts parts{std::move(answer.body), answer.implicitConfirm, {}, nonce};
    if (answer.awaits_confirm) parts.confirmWaitTime = at_.request.now + channel().confirm_within;
    std::string reply_body;
    ASSIGN_OR_RETURN(auto der, at_.build(header(), std::move(parts), reply_body));
    note_outcome(answer);
    if (opening_) at_.decision.effects.open = new_transaction(answer, nonce);
    if (continuing_) go_on_from(nonce);
    if (opening_ || continuing_) at_.decision.effects.message = at_.stored(reply_body, der);
    at_.note_in_audit(reply_body);
    return at_.send(reply_id(at_.job), at_.envelope.reply, reply_body, std::move(der));
  }

  void note_outcome(Answer& answer) {
    at_.decision.effects = std::move(answer.effects);
    at_.decision.outcome = std::move(answer.outcome);
    at_.decision.refused = at_.decision.outcome.starts_with("rejection");
  }

  Transaction new_transaction(const Answer& answer, const Bytes& nonce) const {
    Transaction transaction;
    transaction.transactionID = *header().transactionID;
    transaction.channel = channel().name;
    transaction.state = answer.awaits_confirm ? TransactionState::open : TransactionState::closed;
    transaction.body = body_name(body());
    transaction.pvno = header().pvno;
    transaction.credential = at_.requester->credential();
    transaction.our_nonce = nonce;
    transaction.certificates = answer.certificates;
    for (auto& one : transaction.certificates) one.settled = !answer.awaits_confirm;
    transaction.old_serial = answer.old_serial;
    at_.await_confirm(transaction, reply_id(at_.job));
    transaction.opened = at_.request.now;
    return transaction;
  }

  // After certConf or error: everything that was delivered is settled; what waits still does,
  // unless the requester has given up.
  void go_on_from(const Bytes& nonce) {
    auto after = *at_.transaction;
    for (auto& certificate : after.certificates) certificate.settled = true;
    after.our_nonce = nonce;
    at_.await_confirm(after, at_.job);
    const bool ended = given_up_ || !at_.waiting || at_.waiting->all_delivered();
    after.state = ended ? TransactionState::closed : TransactionState::waiting;
    at_.decision.effects.advance = {std::move(after), at_.transaction->state};
    if (at_.waiting) next_version(nonce, given_up_);
    if (!given_up_ || !at_.waiting) return;
    for (auto& part : at_.decision.effects.waiting->parts) {
      if (part.state == PartState::delivered) continue;
      part.state = PartState::delivered;
      part.answer = error_body({PKIFailureInfo::badRequest, "the requester has given up"});
    }
  }

  void next_version(const Bytes& nonce, bool parts_changed) {
    auto after = *at_.waiting;
    ++after.version;
    after.note_nonce(nonce);
    at_.decision.effects.waiting = std::move(after);
    at_.decision.effects.waiting_parts_changed = parts_changed;
  }

  // the requester hears that it waits, or nothing.
  Result<Decision> waits(Answer&& answer) {
    const auto& policy = channel().waiting;
    const bool typed = cert_response(answer.body) != nullptr;
    const bool may_tell = typed || policy.by_error;
    const auto nonce = at_.shared.random.bytes(kNonceSize);
    auto transaction = new_transaction(answer, {});
    transaction.state = TransactionState::waiting;
    auto waiting = new_waiting(answer);
    waiting.told = may_tell && policy.interim == WaitingSettings::Interim::always;
    if (may_tell && policy.interim == WaitingSettings::Interim::after)
      waiting.interim_at = at_.request.now + policy.after;
    note_outcome(answer);
    std::string reply_body;
    Bytes der;
    if (waiting.told) {
      ReplyParts parts{std::move(answer.body), false, {}, nonce};
      ASSIGN_OR_RETURN(der, at_.build(header(), std::move(parts), reply_body));
      transaction.our_nonce = nonce;
      waiting.note_nonce(nonce);
      for (auto& part : waiting.parts) {
        if (part.state == PartState::ready) part.state = PartState::delivered;
      }
    }
    at_.decision.effects.open = std::move(transaction);
    at_.decision.effects.waiting = std::move(waiting);
    at_.decision.effects.message = at_.stored(reply_body, der);
    at_.note_in_audit(reply_body);
    if (reply_body.empty()) return at_.stay_silent(at_.decision.outcome);
    return at_.send(reply_id(at_.job), at_.envelope.reply, reply_body, std::move(der));
  }

  Waiting new_waiting(const Answer& answer) const {
    Waiting waiting;
    waiting.received = at_.request.now;
    waiting.envelope = at_.envelope;
    const auto limit = channel().waiting.decide_within;
    if (limit != Duration::zero()) waiting.decide_by = at_.request.now + limit;
    waiting.parts = answer.undecided;
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

  Result<Decision> polled(PollAnswer&& answer) {
    const auto nonce = at_.shared.random.bytes(kNonceSize);
    next_version(nonce, !answer.delivers.empty());
    auto& waiting = *at_.decision.effects.waiting;
    waiting.asked = at_.request.now;
    ++waiting.polls;
    waiting.told = true;  // who polls knows how
    waiting.interim_at.reset();
    ReplyParts parts{std::move(answer.body), false, {}, nonce};
    at_.decision.outcome = "not yet";
    if (!answer.delivers.empty()) deliver(answer.delivers, parts);
    std::string reply_body;
    ASSIGN_OR_RETURN(auto der, at_.build(header(), std::move(parts), reply_body));
    if (!answer.delivers.empty()) at_.decision.effects.message = at_.stored(reply_body, der);
    at_.note_in_audit(reply_body);
    return at_.send(reply_id(at_.job), at_.envelope.reply, reply_body, std::move(der));
  }

  void deliver(const std::vector<std::int64_t>& parts, ReplyParts& reply) {
    auto& waiting = *at_.decision.effects.waiting;
    auto after = *at_.transaction;
    const bool again = std::ranges::all_of(
        parts, [&](std::int64_t id) { return waiting.part(id)->state == PartState::delivered; });
    for (const auto id : parts) waiting.part(id)->state = PartState::delivered;
    at_.decision.outcome = again ? "the final response is sent again" : "the final response";
    reply.implicitConfirm = waiting.implicitConfirm;
    if (after.awaits_confirm()) {
      reply.confirmWaitTime = at_.request.now + channel().confirm_within;
    }
    if (after.state == TransactionState::closed) return;
    after.our_nonce = reply.senderNonce;
    if (!again) at_.await_confirm(after, reply_id(at_.job));
    if (waiting.all_delivered()) {
      after.state = after.awaits_confirm() ? TransactionState::open : TransactionState::closed;
    }
    at_.decision.effects.advance = {std::move(after), at_.transaction->state};
  }

  Result<Decision> resent(StoredMessage&& message) {
    at_.decision.outcome = "the same message again: its answer is sent again";
    if (message.reply_body.empty()) return at_.stay_silent("the same message again: it waits");
    return at_.send(reply_id(at_.job), at_.envelope.reply, message.reply_body,
                    std::move(message.reply));
  }

  // badDataFormat when somebody can be answered, else it is kept for an operator.
  Result<Decision> undecodable(const DecodeFault& fault) {
    if (!fault.header || !fault.header->transactionID || !fault.header->senderNonce) {
      return at_.keep_for_operator("not a PKIMessage: " + fault.text());
    }
    at_.request.message.header = *fault.header;
    at_.request.message.header.protectionAlg.reset();
    at_.request.message.body = body::error{};
    at_.decision.tid = to_hex(*fault.header->transactionID);
    const bool wrong_version = fault.header->pvno != kCmp2000 && fault.header->pvno != kCmp2021;
    return refuse(
        {wrong_version ? PKIFailureInfo::unsupportedVersion : PKIFailureInfo::badDataFormat,
         "the message cannot be read: " + fault.text()});
  }

  const Lease& lease_;
  const Turn turn_;
  Proceeding at_;
  bool opening_ = false;     // the answer opens (and perhaps ends) a transaction
  bool continuing_ = false;  // the answer goes on with the transaction
  bool given_up_ = false;    // by the requester
};

}  // namespace

Result<Decision> respond(const Lease& lease, LedgerReader& ledger,
                         const ProcessorServices& services, Turn turn) {
  if (is_resume_job(lease.job)) return resume(lease, ledger, services);
  return Responder(lease, ledger, services, turn).run();
}

}  // namespace cmpost
