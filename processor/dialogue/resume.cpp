#include "processor/dialogue/resume.h"

#include <algorithm>

#include "base/log.h"
#include "processor/admission/authentication.h"
#include "processor/admission/header_rules.h"
#include "processor/admission/revocation_passphrase.h"
#include "processor/dialogue/proceeding.h"
#include "processor/transaction/audit_detail.h"
#include "processor/transaction/stored_request.h"

namespace cmpost {
namespace {

// Answers that nobody asks for have ids of their own, so that each leaves once.
JobId unasked_id(std::string_view what, ByteView transactionID) {
  return make_job_id({view_of(what), transactionID});
}

class Resumption {
 public:
  Resumption(const Lease& lease, LedgerReader& ledger, const ProcessorServices& services)
      : lease_(lease), at_(lease.job.id, lease.job.envelope, services) {
    at_.ledger = &ledger;
  }

  Result<Decision> run() {
    at_.decision.tid = lease_.job.envelope.tid;
    const auto tid = from_hex(at_.decision.tid);
    if (!tid) return at_.keep_for_operator("a decision about no transaction");
    TRY(at_.find_transaction(*tid));
    if (!at_.waiting) return at_.stay_silent("the transaction does not wait");
    at_.request.channel = at_.find_channel(at_.transaction->channel);
    if (at_.request.channel == nullptr) {
      return at_.keep_for_operator("the channel " + at_.transaction->channel +
                                   " is not configured any more");
    }
    TRY(load_request());
    before_state_ = at_.transaction->state;
    after_ = *at_.waiting;
    ++after_.version;
    const bool overdue = after_.decide_by && *after_.decide_by <= at_.request.sure;
    if (at_.transaction->state != TransactionState::closed && (after_.needs_work() || overdue)) {
      return settle(overdue);
    }
    if (interim_is_due()) return tell();
    return repeat();
  }

 private:
  Result<void> load_request() {
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
  Result<void> find_question(bool challenged) {
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

  const PKIHeader& header() const { return question_; }
  const ChannelSettings& channel() const { return at_.request.channel->settings; }
  const Route& route() const { return at_.waiting->envelope.reply; }

  // The requester as it is by now, or as it was when the request came.
  Outcome<void> authenticate_again() {
    const auto now = at_.request.now, sure = at_.request.sure;
    if (channel().waiting.judge_on_arrival) {
      at_.request.now = at_.waiting->received;
      at_.request.sure = std::min(sure, at_.waiting->received);
    }
    ASSIGN_OR_RETURN(at_.request.wishes, check_header(at_.request.message, *at_.request.channel,
                                                      at_.waiting->received));
    auto requester = authenticate(at_.request, at_.services());
    auto allowed =
        requester ? check_may_open(*requester, at_.request.message.body) : Checked<void>();
    at_.request.now = now;
    at_.request.sure = sure;
    if (!requester) return failure(std::move(requester).error());
    at_.requester = std::move(*requester);
    if (!allowed) return failure(allowed.error());
    return {};
  }

  Outcome<Answer> grant() {
    TRY(authenticate_again());
    auto services = at_.services();
    return at_.shared.role.open(at_.request, *at_.requester, services);
  }

  Result<Decision> settle(bool overdue) {
    at_.request.overdue = overdue;
    ASSIGN_OR_RETURN(auto granted, apart(grant()));
    Answer answer;
    if (granted) {
      answer = std::move(*granted);
    } else {
      answer = refusal(granted.error());
      log::warning("request.refused_after_waiting",
                   {{"tid", at_.decision.tid}, {"outcome", outcome_of(answer)}});
    }
    at_.decision.effects = std::move(answer.effects);
    at_.decision.outcome = outcome_of(answer);
    at_.decision.refused = answer.refused.has_value();
    note_answers(answer, overdue);
    TRY(take_header_passphrase(answer));
    return pass_on();
  }

  void note_answers(const Answer& answer, bool overdue) {
    for (auto& part : after_.parts) {
      const bool decided = part.state == PartState::approved || part.state == PartState::rejected ||
                           (overdue && part.state == PartState::undecided);
      if (!decided) continue;
      const auto again =
          std::ranges::find(answer.undecided, part.certReqId, &WaitingPart::certReqId);
      if (again != answer.undecided.end()) {
        ask_again(part, *again);
        continue;
      }
      part.answer = part_of(answer.body, part.certReqId);
      part.state = PartState::ready;
    }
    if (after_.all_decided()) {
      after_.decide_by.reset();
      after_.interim_at.reset();
    }
    after_.implicitConfirm = answer.implicitConfirm;
    for (auto certificate : answer.certificates) {
      certificate.settled = answer.implicitConfirm;
      at_.transaction->certificates.push_back(std::move(certificate));
    }
  }

  // Something else would be granted than what they have agreed to: nothing is, before they agree to
  // that.
  void ask_again(WaitingPart& part, const WaitingPart& again) {
    at_.decision.effects.audit.push_back(asked_again_entry(*at_.transaction, part, again));
    log::warning("request.asked_again",
                 {{"tid", at_.decision.tid}, {"part", part.certReqId}, {"why", again.why}});
    part = again;
    at_.decision.outcome = "waits for approval once more: " + printable(again.why);
  }

  // What the header left waits with the message, and is taken when all of that is decided
  // and some of it granted.
  Result<void> take_header_passphrase(const Answer& answer) {
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

  // A final response leaves by itself where the requester does not poll, and only as a whole: a
  // peer that takes the first file for the last must find everything in it.
  Result<Decision> pass_on() {
    const bool push =
        after_.all_decided() && !after_.all_delivered() && (!after_.told || channel().waiting.push);
    if (!push) {
      store(at_.decision.effects);
      at_.note_in_audit("");
      return at_.stay_silent(at_.decision.outcome + "; the requester polls for it");
    }
    std::vector<const WaitingPart*> parts;
    for (const auto& part : after_.parts) {
      if (part.state == PartState::ready) parts.push_back(&part);
    }
    const auto nonce = at_.shared.random.bytes(kNonceSize);
    ReplyParts reply{merged(parts), after_.implicitConfirm, {}, nonce};
    reply.takes_passphrase = at_.decision.effects.passphrase.has_value();
    if (at_.transaction->awaits_confirm()) {
      reply.confirmWaitTime = at_.request.now + channel().confirm_within;
    }
    ASSIGN_OR_RETURN(after_.pushed, at_.build(header(), std::move(reply), after_.pushed_body));
    for (auto& part : after_.parts) part.state = PartState::delivered;
    after_.note_nonce(nonce);
    at_.transaction->our_nonce = nonce;
    store(at_.decision.effects);
    at_.note_in_audit(after_.pushed_body);
    return push_again(after_);
  }

  void store(Effects& effects) {
    const auto before = before_state_;
    auto& transaction = *at_.transaction;
    if (after_.all_delivered()) {
      at_.await_confirm(transaction, final_id());
      transaction.state =
          transaction.awaits_confirm() ? TransactionState::open : TransactionState::closed;
    }
    effects.advance = Effects::Advance{transaction, before};
    effects.waiting = after_;
    if (after_.all_decided()) {
      const bool in_rounds = after_.parts.size() > 1;
      effects.settled = Effects::Settled{
          question_digest_, in_rounds ? outcome_of(after_.parts) : at_.decision.outcome};
    }
  }

  JobId final_id() const { return unasked_id("final", at_.transaction->transactionID); }

  Decision push_again(const Waiting& waiting) {
    return at_.send(final_id(), route(), waiting.pushed_body, waiting.pushed);
  }

  bool interim_is_due() const {
    return !after_.told && after_.interim_at && *after_.interim_at <= at_.request.sure &&
           !after_.all_decided();
  }

  PKIBody interim_body() const {
    CertRepMessage content;
    for (const auto& part : after_.parts) {
      const auto* answer = cert_response(part.answer);
      const bool ready = part.state == PartState::ready && answer != nullptr;
      content.response.push_back(ready ? answer->response.front()
                                       : waiting_response(part.certReqId));
    }
    const auto& body = at_.request.message.body;
    if (std::holds_alternative<body::ir>(body)) return body::ip{std::move(content)};
    if (std::holds_alternative<body::kur>(body)) return body::kup{std::move(content)};
    if (std::holds_alternative<body::ccr>(body)) return body::ccp{std::move(content)};
    if (std::holds_alternative<body::krr>(body)) return waiting_krp();
    if (cert_requests(body) != nullptr || std::holds_alternative<body::p10cr>(body)) {
      return body::cp{std::move(content)};
    }
    return waiting_error();
  }

  // R-147 "after": the silence has lasted long enough.
  Result<Decision> tell() {
    at_.decision.outcome = "waits for approval";
    // Who is not believed any more hears so when it is decided.
    TRY(apart(authenticate_again()));
    const auto nonce = at_.shared.random.bytes(kNonceSize);
    std::string reply_body;
    ASSIGN_OR_RETURN(auto der, at_.build(header(), {interim_body(), false, {}, nonce}, reply_body));
    for (auto& part : after_.parts) {
      if (part.state == PartState::ready) part.state = PartState::delivered;
    }
    after_.told = true;
    after_.interim_at.reset();
    after_.note_nonce(nonce);
    at_.transaction->our_nonce = nonce;
    at_.decision.effects.advance = Effects::Advance{*at_.transaction, before_state_};
    at_.decision.effects.waiting = after_;
    ASSIGN_OR_RETURN(at_.decision.effects.message, at_.stored(reply_body, der));
    at_.decision.effects.message->digest = question_digest_;
    at_.decision.effects.message_replaces = true;
    at_.note_in_audit(reply_body);
    return at_.send(interim_id(), route(), reply_body, std::move(der));
  }

  JobId interim_id() const { return unasked_id("interim", at_.transaction->transactionID); }

  // Nothing is left to do: this job was worked on before, and the process may have died before the
  // answer was in the queue. The queue knows the id if it was not.
  Result<Decision> repeat() {
    if (!at_.waiting->pushed.empty()) {
      at_.decision.outcome = "the final response";
      return push_again(*at_.waiting);
    }
    ASSIGN_OR_RETURN(auto stored, at_.table().message(at_.transaction->id, question_digest_));
    if (text_of(lease_.job.payload) == kInterimDue && at_.waiting->told && stored &&
        !stored->reply_body.empty()) {
      at_.decision.outcome = "waits for approval";
      return at_.send(interim_id(), route(), stored->reply_body, std::move(stored->reply));
    }
    return at_.stay_silent("nothing is left to do");
  }

  const Lease& lease_;
  Proceeding at_;
  PKIHeader question_;
  Sha256 question_digest_{};
  Waiting after_;
  TransactionState before_state_ = TransactionState::waiting;
};

}  // namespace

Result<Decision> resume(const Lease& lease, LedgerReader& ledger,
                        const ProcessorServices& services) {
  return Resumption(lease, ledger, services).run();
}

}  // namespace cmpost
