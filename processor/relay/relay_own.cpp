// The answers of a CA above about the certificate of our own.
#include <algorithm>

#include "base/log.h"
#include "processor/admission/authentication.h"
#include "processor/admission/header_rules.h"
#include "processor/proceeding/proceeding.h"
#include "processor/relay/relay.h"
#include "processor/transaction/audit_detail.h"

namespace cmpost {
namespace {

// Nobody is answered: what comes of it is in the ledger.
class AnswerToUs {
 public:
  AnswerToUs(const Lease& lease, LedgerReader& ledger, const ProcessorServices& services)
      : job_(lease.job), at_(lease.job.id, lease.job.envelope, services) {
    at_.ledger = &ledger;
  }

  Result<Decision> hear() {
    const auto& channel = at_.shared.channels.at(job_.envelope.channel);
    auto message = decode(job_.payload, channel.limits);
    if (!message) {
      return at_.keep_for_operator("no answer: not a PKIMessage: " + message.error().text());
    }
    at_.request.message = std::move(*message);
    at_.request.der = job_.payload;
    at_.request.digest = sha256(job_.payload);
    at_.request.channel = &channel;
    const auto tid = at_.request.message.header.transactionID.value_or(Bytes());
    TRY(find(tid));
    const auto& nonce = at_.request.message.header.recipNonce;
    if (answered_by(messages_, at_.request.digest, nonce) != nullptr) {
      return at_.stay_silent("the same answer again");
    }
    asked_ = asked_by(messages_, tid, nonce);
    if (asked_ == nullptr || !is_waited_for()) return came_late();
    ASSIGN_OR_RETURN(const auto effects, apart(judge()));
    if (!effects) {
      return at_.keep_for_operator("an answer that does not count: " + effects.error().text);
    }
    at_.decision.effects = *effects;
    return at_.stay_silent("the CA has answered about the certificate of our own");
  }

  Result<Decision> tend(const UpstreamMessage& asked, std::string_view why) {
    TRY(find(asked.transactionID));
    const auto same = std::ranges::find(messages_, asked.id, &UpstreamMessage::id);
    if (same == messages_.end() || !is_open(same->state)) {
      return at_.stay_silent("it has been answered");
    }
    asked_ = &*same;
    if (why != kAskAgain) return lose();
    if (!asked_->ask_again) return at_.stay_silent("it was asked again");
    return ask_again();
  }

 private:
  Result<void> find(const Bytes& tid) {
    at_.decision.tid = to_hex(tid);
    UpstreamTable table(at_.ledger->connection());
    ASSIGN_OR_RETURN(messages_, table.of_renewal(tid));
    if (messages_.empty()) return hold("the ledger has lost what was asked for " + to_hex(tid));
    ASSIGN_OR_RETURN(renewal_,
                     OwnRenewalTable(at_.ledger->connection()).find(messages_.front().renewal));
    if (!renewal_) return hold("the ledger has lost the renewal " + to_hex(tid));
    return {};
  }

  // Also what the CA says to our refusal, of which nothing follows.
  bool is_waited_for() const {
    const bool refused = renewal_->state == RenewalState::refused && asked_->body == "certConf";
    return refused || is_under_way(renewal_->state);
  }

  // Before anything of it is kept.
  Outcome<Effects> judge() {
    ASSIGN_OR_RETURN(at_.request.wishes,
                     check_header(at_.request.message, *at_.request.channel, at_.request.likely));
    if (asked_->channel != at_.request.channel->settings.name) {
      return reject(PKIFailureInfo::notAuthorized,
                    "it came on another channel than " + asked_->channel + ", where it was asked");
    }
    ASSIGN_OR_RETURN(const auto signer, authenticate(at_.request, at_.services()));
    TRY(at_.shared.role.check_above(at_.request, signer));
    ASSIGN_OR_RETURN(const auto question, read_question());
    auto services = at_.services();
    return at_.shared.role.hear_own({*renewal_, messages_, *asked_, question, at_.request, signer},
                                    services);
  }

  Result<PKIBody> read_question() {
    ASSIGN_OR_RETURN(const auto whole,
                     UpstreamTable(at_.ledger->connection()).find(messages_.front().id));
    if (!whole) return hold("the ledger has lost what was asked");
    auto message = decode(whole->octets);
    if (!message) return hold("a stored message cannot be read: " + message.error().text());
    return std::move(message->body);
  }

  Result<Decision> came_late() {
    log::warning("upstream.second_answer",
                 {{"tid", at_.decision.tid}, {"body", body_name(at_.request.message.body)}});
    return at_.keep_for_operator(
        "an answer about the certificate of our own that nobody waits for any more; if it has a "
        "certificate, nobody uses that");
  }

  // The present pair stays in use; it is tried anew later.
  Result<Decision> lose() {
    auto& effects = at_.decision.effects;
    ASSIGN_OR_RETURN(auto conf, certConf_again(*renewal_, messages_, at_.ledger->connection(),
                                               {at_.request.sure, at_.request.now}));
    for (const auto& one : messages_) {
      if (!is_open(one.state)) continue;
      effects.upstream.push_back({.id = one.id,
                                  .from = {one.state},
                                  .to = UpstreamState::unanswered,
                                  .answered = at_.request.now});
    }
    if (conf) {
      effects.send_up.push_back(*std::move(conf));
    } else if (is_under_way(renewal_->state)) {
      RenewalChange change{renewal_->id, renewal_->state, RenewalState::unanswered, {}, {}, {}};
      change.ended = at_.request.now;
      effects.renewal = std::move(change);
    }
    log::warning("ra.certificate_unanswered",
                 {{"tid", at_.decision.tid}, {"channel", asked_->channel}});
    effects.audit.push_back(
        {"ra.certificate_unanswered",
         JsonObject().add("tid", at_.decision.tid).add("request", asked_->body).text()});
    return at_.stay_silent("the CA has not answered about the certificate of our own");
  }

  Result<Decision> ask_again() {
    auto services = at_.services();
    ASSIGN_OR_RETURN(auto poll, apart(at_.shared.role.ask_again_own(messages_, *asked_,
                                                                    at_.request.now, services)));
    if (!poll) {
      return at_.keep_for_operator("the CA above cannot be asked again: " + poll.error().text);
    }
    at_.decision.effects.send_up.push_back(*std::move(poll));
    at_.decision.effects.upstream.push_back(
        {.id = asked_->id, .from = {UpstreamState::waits}, .to = UpstreamState::waits});
    return at_.stay_silent("the CA above is asked again");
  }

  const Job& job_;
  Proceeding at_;
  UpstreamMessages messages_;
  std::optional<OwnRenewal> renewal_;
  const UpstreamMessage* asked_ = nullptr;
};

}  // namespace

// Others may use our transactionID, which whoever carries files can see: a nonce of ours decides.
Result<bool> is_about_us(const Lease& lease, LedgerReader& ledger,
                         const ProcessorServices& services) {
  const auto& channel = services.channels.at(lease.job.envelope.channel);
  const auto header = readable_header(lease.job.payload, channel.limits);
  if (!header || !header->transactionID || !header->recipNonce) return false;
  ASSIGN_OR_RETURN(const auto messages,
                   UpstreamTable(ledger.connection()).of_renewal(*header->transactionID));
  return std::ranges::find(messages, *header->recipNonce, &UpstreamMessage::senderNonce) !=
         messages.end();
}

Result<Decision> hear_about_us(const Lease& lease, LedgerReader& ledger,
                               const ProcessorServices& services) {
  return AnswerToUs(lease, ledger, services).hear();
}

Result<Decision> tend_about_us(const Lease& lease, const UpstreamMessage& asked,
                               LedgerReader& ledger, const ProcessorServices& services) {
  return AnswerToUs(lease, ledger, services).tend(asked, text_of(lease.job.payload));
}

}  // namespace cmpost
