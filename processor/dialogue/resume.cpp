#include "processor/dialogue/resume.h"

#include <algorithm>

#include "base/log.h"
#include "processor/admission/header_rules.h"
#include "processor/proceeding/continuation.h"

namespace cmpost {
namespace {

class Resumption : Continuation {
 public:
  Resumption(const Lease& lease, LedgerReader& ledger, const ProcessorServices& services)
      : Continuation(lease.job.id, lease.job.envelope, ledger, services), lease_(lease) {}

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
  Outcome<Answer> grant() {
    TRY(authenticate_again(Judged::as_the_channel_says));
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
    at_.conclude(answer);
    at_.address_departures();
    note_answers(answer, overdue);
    TRY(take_header_passphrase(answer));
    return pass_on();
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
    TRY(apart(authenticate_again(Judged::as_the_channel_says)));
    const auto nonce = at_.shared.random.bytes(kNonceSize);
    std::string reply_body;
    ASSIGN_OR_RETURN(auto der, at_.build(header(), {interim_body(), false, {}, nonce}, reply_body));
    for (auto& part : after_.parts) {
      if (part.state == PartState::ready) note_delivered(part, *at_.transaction);
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
    return at_.send(unasked("interim"), route(), reply_body, std::move(der));
  }

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
      return at_.send(unasked("interim"), route(), stored->reply_body, std::move(stored->reply));
    }
    return at_.stay_silent("nothing is left to do");
  }

  const Lease& lease_;
};

}  // namespace

Result<Decision> resume(const Lease& lease, LedgerReader& ledger,
                        const ProcessorServices& services) {
  return Resumption(lease, ledger, services).run();
}

}  // namespace cmpost
