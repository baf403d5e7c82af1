#include "processor/respond.h"

#include "processor/audit_detail.h"
#include "processor/authentication.h"
#include "processor/header_rules.h"
#include "processor/reply.h"
#include "processor/transaction_table.h"

namespace cmpost {
namespace {

constexpr std::size_t kNonceSize = 16;

JobId reply_id(const JobId& request) { return make_job_id({view_of("reply"), request.octets}); }

// One job on its way; keeps what the steps have found out so far.
class Responder {
 public:
  Responder(const Lease& lease, LedgerReader& ledger, const ProcessorServices& services)
      : lease_(lease),
        shared_(services),
        services_{services.authority, ledger},
        table_(ledger.connection()) {
    request_.now = services.clock.now();
    decision_.job = lease.job.id;
  }

  Result<Decision> run() {
    const auto& name = lease_.job.envelope.channel;
    const auto channel = shared_.channels.find(name);
    if (channel == shared_.channels.end())
      return held("the channel " + name + " is not configured any more");
    request_.channel = &channel->second;
    auto message = decode(lease_.job.payload, request_.channel->limits);
    if (!message) return undecodable(message.error());
    request_.message = std::move(*message);
    request_.der = lease_.job.payload;
    request_.digest = sha256(lease_.job.payload);
    if (request_.message.header.transactionID) {
      decision_.tid = to_hex(*request_.message.header.transactionID);
    }
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
  using Next = std::variant<Answer, Resend, Ignore>;

  // Rejections from here on become error messages.
  Outcome<Next> work() {
    const auto& header = request_.message.header;
    const bool has_tid = header.transactionID && !header.transactionID->empty();
    if (has_tid) {
      ASSIGN_OR_RETURN(transaction_, table_.find(*header.transactionID));
      ASSIGN_OR_RETURN(auto stored, find_duplicate());
      if (stored) return Resend{std::move(*stored)};
    }
    ASSIGN_OR_RETURN(request_.wishes,
                     check_header(request_.message, *request_.channel, request_.now));
    auto requester = authenticate(request_, services_.ledger, shared_.sealing_key);
    if (!requester) {
      // Nobody waits for an answer to an error message, and two peers must not argue for ever.
      const auto* rejection = requester.error().rejection();
      if (rejection != nullptr && std::holds_alternative<body::error>(request_.message.body)) {
        return Ignore{"an error message without a valid protection: " + rejection->text};
      }
      return failure(std::move(requester).error());
    }
    requester_ = std::move(*requester);
    if (opens_transaction(request_.message.body)) return open();
    return go_on();
  }

  // the same octets on the same channel get the stored answer; they were verified when they
  // came first.
  Result<std::optional<StoredMessage>> find_duplicate() {
    if (!transaction_ || request_.channel->settings.strict) return std::nullopt;
    ASSIGN_OR_RETURN(auto stored, table_.message(transaction_->id, request_.digest));
    if (!stored || stored->channel != request_.channel->settings.name) return std::nullopt;
    return stored;
  }

  Outcome<Next> open() {
    if (transaction_) {
      return reject(PKIFailureInfo::transactionIdInUse, "the transactionID has been used before");
    }
    TRY(check_may_open(*requester_, request_.now));
    opening_ = true;
    ASSIGN_OR_RETURN(auto answer, dispatch());
    return answer;
  }

  Outcome<Answer> dispatch() {
    const auto& body = request_.message.body;
    if (std::holds_alternative<body::ir>(body) || std::holds_alternative<body::cr>(body) ||
        std::holds_alternative<body::kur>(body)) {
      return handle_certification(request_, *requester_, services_);
    }
    if (std::holds_alternative<body::p10cr>(body)) {
      return handle_p10cr(request_, *requester_, services_);
    }
    if (std::holds_alternative<body::rr>(body)) {
      return handle_revocation(request_, *requester_, services_);
    }
    return reject(
        PKIFailureInfo::badRequest,
        "a message with the body " + std::string(body_name(body)) + " is not served here");
  }

  // a follow-up fits an open transaction and comes from the one
  // who opened it. None of these refusals touches the transaction.
  Outcome<Next> go_on() {
    const auto& header = request_.message.header;
    const auto& body = request_.message.body;
    if (!transaction_ || transaction_->state != TransactionState::open) {
      const bool confirmed = transaction_ && std::holds_alternative<body::certConf>(body);
      return reject(confirmed && request_.channel->settings.strict ? PKIFailureInfo::certConfirmed
                                                                   : PKIFailureInfo::badRequest,
                    "no open transaction has this transactionID");
    }
    if (transaction_->credential != requester_->credential()) {
      const bool kind_differs =
          transaction_->credential.starts_with("mac:") != (requester_->secret() != nullptr);
      return reject(kind_differs ? PKIFailureInfo::wrongIntegrity : PKIFailureInfo::notAuthorized,
                    "the transaction was opened with another credential");
    }
    if (!header.recipNonce || *header.recipNonce != transaction_->our_nonce) {
      return reject(PKIFailureInfo::badRecipientNonce,
                    "recipNonce is not the senderNonce of the last answer");
    }
    continuing_ = true;
    if (std::holds_alternative<body::certConf>(body)) return handle_certConf_or_end();
    if (std::holds_alternative<body::error>(body)) {
      ASSIGN_OR_RETURN(auto answer, handle_error(request_, *requester_, *transaction_, services_));
      return answer;
    }
    continuing_ = false;
    return reject(
        PKIFailureInfo::badRequest,
        "a message with the body " + std::string(body_name(body)) + " is not expected now");
  }

  // a wrong hash is answered with an error, and the certificate counts as not confirmed.
  Outcome<Next> handle_certConf_or_end() {
    auto answer = handle_certConf(request_, *requester_, *transaction_, services_);
    if (answer) return std::move(*answer);
    const auto* rejection = answer.error().rejection();
    if (rejection == nullptr || rejection->failInfo != PKIFailureInfo::badCertId) {
      continuing_ = false;
      return failure(std::move(answer).error());
    }
    Answer end;
    ASSIGN_OR_RETURN(end.effects,
                     withdraw(*transaction_, "wrong certHash", request_.now, services_));
    end.body = error_body(*rejection);
    end.outcome = outcome_of(*rejection);
    return end;
  }

  static std::string outcome_of(const Rejection& rejection) {
    return "rejection " + std::string(to_string(rejection.failInfo)) + ": " + rejection.text;
  }

  Result<Decision> finish(Next&& next) {
    if (auto* answer = std::get_if<Answer>(&next)) return answered(std::move(*answer));
    if (auto* resend = std::get_if<Resend>(&next)) return resent(std::move(resend->stored));
    decision_.what = Decision::Silence{};
    decision_.outcome = std::get<Ignore>(next).why;
    return std::move(decision_);
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
    auto nonce = shared_.random.bytes(kNonceSize);
    ReplyParts parts{std::move(answer.body), answer.implicitConfirm, {}, nonce};
    if (answer.awaits_confirm)
      parts.confirmWaitTime = request_.now + request_.channel->settings.confirm_within;
    const auto confirm_by = parts.confirmWaitTime;
    const std::string reply_body(body_name(parts.body));
    ASSIGN_OR_RETURN(auto der, build_reply(request_.message.header, requester_, std::move(parts),
                                           shared_.authority, shared_.random, request_.now));
    decision_.effects = std::move(answer.effects);
    decision_.outcome = std::move(answer.outcome);
    decision_.refused = decision_.outcome.starts_with("rejection");
    if (opening_) decision_.effects.open = new_transaction(answer, confirm_by, nonce);
    if (continuing_) {
      decision_.effects.advance = {transaction_->id, TransactionState::closed, std::move(nonce)};
    }
    if (opening_ || continuing_) decision_.effects.message = stored(reply_body, der);
    decision_.effects.audit.push_back(answered_entry(request_, requester_ ? requester_->text() : "",
                                                     reply_body, decision_.outcome));
    return send(reply_body, std::move(der));
  }

  Transaction new_transaction(const Answer& answer, std::optional<Time> confirm_by,
                              const Bytes& nonce) const {
    Transaction transaction;
    transaction.transactionID = *request_.message.header.transactionID;
    transaction.channel = request_.channel->settings.name;
    transaction.state = answer.awaits_confirm ? TransactionState::open : TransactionState::closed;
    transaction.body = body_name(request_.message.body);
    transaction.pvno = request_.message.header.pvno;
    transaction.credential = requester_->credential();
    transaction.our_nonce = nonce;
    transaction.certificates = answer.certificates;
    transaction.old_serial = answer.old_serial;
    transaction.confirm_by = confirm_by;
    transaction.opened = request_.now;
    return transaction;
  }

  StoredMessage stored(const std::string& reply_body, const Bytes& reply) const {
    return {request_.digest,
            request_.channel->settings.name,
            std::string(body_name(request_.message.body)),
            reply_body,
            request_.der,
            reply,
            decision_.outcome};
  }

  Result<Decision> resent(StoredMessage&& message) {
    decision_.outcome = "the same message again: its answer is sent again";
    if (message.reply_body.empty()) {
      decision_.what = Decision::Silence{};
      return std::move(decision_);
    }
    return send(message.reply_body, std::move(message.reply));
  }

  Result<Decision> send(const std::string& reply_body, Bytes&& der) {
    const auto& envelope = lease_.job.envelope;
    Job job{reply_id(lease_.job.id),
            Envelope{envelope.reply.channel, envelope.source, envelope.reply, reply_body,
                     decision_.tid},
            std::move(der)};
    decision_.what = Decision::Reply{std::move(job)};
    return std::move(decision_);
  }

  // badDataFormat when somebody can be answered, else it is kept for an operator.
  Result<Decision> undecodable(const DecodeFault& fault) {
    if (!fault.header || !fault.header->transactionID || !fault.header->senderNonce) {
      return held("not a PKIMessage: " + fault.text());
    }
    request_.message.header = *fault.header;
    request_.message.header.protectionAlg.reset();
    request_.message.body = body::error{};
    decision_.tid = to_hex(*fault.header->transactionID);
    const bool wrong_version = fault.header->pvno != kCmp2000 && fault.header->pvno != kCmp2021;
    return refuse(
        {wrong_version ? PKIFailureInfo::unsupportedVersion : PKIFailureInfo::badDataFormat,
         "the message cannot be read: " + fault.text()});
  }

  Result<Decision> held(std::string reason) {
    decision_.outcome = reason;
    decision_.what = Decision::Hold{std::move(reason)};
    return std::move(decision_);
  }

  const Lease& lease_;
  const ProcessorServices& shared_;
  Services services_;
  TransactionTable table_;
  Request request_;
  std::optional<Transaction> transaction_;
  std::optional<Requester> requester_;
  bool opening_ = false;     // the answer opens (and perhaps ends) a transaction
  bool continuing_ = false;  // the answer ends `transaction_`
  Decision decision_;
};

}  // namespace

Result<Decision> respond(const Lease& lease, LedgerReader& ledger,
                         const ProcessorServices& services) {
  return Responder(lease, ledger, services).run();
}

}  // namespace cmpost
