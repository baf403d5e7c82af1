#include "processor/relay/relay.h"

#include <algorithm>

#include "base/log.h"
#include "processor/admission/authentication.h"
#include "processor/admission/header_rules.h"
#include "processor/proceeding/continuation.h"
#include "processor/transaction/audit_detail.h"
#include "processor/transaction/stored_request.h"
#include "processor/upstream/upstream_answer.h"

namespace cmpost {
namespace {

const std::vector<UpstreamState> kOpen = {UpstreamState::collected, UpstreamState::made,
                                          UpstreamState::left, UpstreamState::waits};

// Whoever answers, for whatever reason, the requester's message gets its answer once.
class Relay : Continuation {
 public:
  Relay(const JobId& job, const Envelope& envelope, LedgerReader& ledger,
        const ProcessorServices& services)
      : Continuation(job, envelope, ledger, services) {}

  Result<Decision> hear(const Job& job, const ChannelPolicy& channel) {
    auto message = decode(job.payload, channel.limits);
    if (!message) {
      return at_.keep_for_operator("no answer: not a PKIMessage: " + message.error().text());
    }
    answer_.message = std::move(*message);
    answer_.der = job.payload;
    answer_.digest = sha256(job.payload);
    answer_.source = job.envelope.source;
    answer_.channel = &channel;
    answer_.now = at_.request.now;
    answer_.sure = at_.request.sure;
    answer_.likely = at_.request.likely;
    const auto& tid = answer_.message.header.transactionID;
    if (!tid) return at_.keep_for_operator("no answer: it has no transactionID");
    at_.decision.tid = to_hex(*tid);
    TRY(find(*tid));
    const auto& nonce = answer_.message.header.recipNonce;
    const auto* before = answered_by(messages_, answer_.digest, nonce);
    if (before != nullptr) return repeat(*before, "the same answer again");
    asked_ = asked_by(messages_, *tid, nonce);
    if (asked_ == nullptr) return came_late();
    ASSIGN_OR_RETURN(const auto believed, apart(believe()));
    if (!believed) {
      return at_.keep_for_operator("an answer that does not count: " + believed.error().text);
    }
    return take();
  }

  Result<Decision> tend(std::int64_t row, std::string_view why) {
    ASSIGN_OR_RETURN(const auto found, UpstreamTable(at_.ledger->connection()).find(row));
    if (!found) return at_.stay_silent("it is forgotten");
    at_.decision.tid = to_hex(found->transactionID);
    TRY(find(found->transactionID));
    const auto same = std::ranges::find(messages_, row, &UpstreamMessage::id);
    if (same == messages_.end()) return at_.stay_silent("it is forgotten");
    asked_ = &*same;
    if (!is_open(asked_->state)) return repeat_end();
    if (is_own()) return lose_own();
    if (why == kAskAgain && !asked_->ask_again) return at_.stay_silent("it was asked again");
    TRY(recall());
    if (why == kAskAgain) return ask_again();
    return give_up(why == kNotSent ? "the request was not sent to the CA"
                                   : "the CA has not answered in time");
  }

 private:
  Result<void> find(const Bytes& tid) {
    UpstreamTable table(at_.ledger->connection());
    ASSIGN_OR_RETURN(const auto newest, table.find(tid));
    if (!newest) return {};
    ASSIGN_OR_RETURN(at_.transaction, at_.table().find(newest->transaction));
    if (!at_.transaction) return hold("the ledger has lost the transaction " + to_hex(tid));
    ASSIGN_OR_RETURN(at_.waiting, at_.waits().find(at_.transaction->id));
    ASSIGN_OR_RETURN(messages_, table.of_transaction(at_.transaction->id));
    return {};
  }

  // The process may have died before the reply was in the queue, which knows the id if it was not.
  Result<Decision> repeat(const UpstreamMessage& before, const char* why) {
    asked_ = &before;
    if (is_own() || !at_.waiting) return at_.stay_silent(why);
    const auto& first = former_root_of(before, messages_);
    const bool opening = first.seq == 1 && !is_poll_of_requester();
    if (opening && !at_.waiting->pushed.empty()) return push_again(*at_.waiting);
    // The requester has heard of it when it polled.
    if (opening && first.mode == UpstreamMode::reprotect) return at_.stay_silent(why);
    const auto& question = before.question ? before.question : first.question;
    if (!question) return at_.stay_silent(why);
    ASSIGN_OR_RETURN(auto stored, at_.table().message(at_.transaction->id, *question));
    if (!stored || stored->reply_body.empty()) return at_.stay_silent(why);
    at_.decision.outcome = why;
    return at_.send(reply_job(), reply_route(), stored->reply_body, std::move(stored->reply),
                    reply_source());
  }

  // Of what has ended before this job did.
  Result<Decision> repeat_end() {
    const bool told = asked_->state == UpstreamState::unanswered;
    return told ? repeat(*asked_, "nobody has answered it")
                : at_.stay_silent("it has been answered");
  }

  bool is_poll_of_requester() const { return asked_->question && asked_->body == "pollReq"; }
  // The answer to one message is one job, also where more than one of ours has asked for it.
  JobId reply_job() const {
    const auto* one = follow_up();
    return make_job_id({view_of("above"), ByteView((one != nullptr ? one : asked_)->job().octets)});
  }
  // Whose answer it is: asked by us alone, it is to what we have polled for. nullptr: to what has
  // opened the transaction.
  const UpstreamMessage* follow_up() const {
    if (asked_->question) return asked_;
    const auto& root = former_root_of(*asked_, messages_);
    return root.seq == 1 ? nullptr : &root;
  }
  const Route& reply_route() const {
    const auto* one = follow_up();
    return one != nullptr ? one->reply : route();
  }
  // How the message came that is answered.
  const std::string& reply_source() const {
    const auto* one = follow_up();
    return one != nullptr ? one->source : at_.waiting->envelope.source;
  }

  // Nothing waits for it.
  Result<Decision> came_late() {
    if (!at_.transaction || messages_.empty()) {
      return at_.keep_for_operator("an answer to nothing that was asked here");
    }
    log::warning("upstream.second_answer",
                 {{"tid", at_.decision.tid}, {"body", body_name(answer_.message.body)}});
    const bool told = std::ranges::find(messages_, UpstreamState::unanswered,
                                        &UpstreamMessage::state) != messages_.end();
    const std::string why =
        told ? "an answer that came when the requester had been told that there is none"
             : "another answer than the one that has counted";
    asked_ = asked_once();
    if (asked_ == nullptr || is_own() || !at_.waiting) return at_.keep_for_operator(why);
    ASSIGN_OR_RETURN(const auto late, apart(hear_late()));
    if (!late)
      return at_.keep_for_operator(why + ", and that does not count: " + late.error().text);
    at_.decision.effects = *late;
    return keep_orphans(why);
  }

  // By the nonce in it, whatever has become of that; nullptr: nothing.
  const UpstreamMessage* asked_once() const {
    const auto& nonce = answer_.message.header.recipNonce;
    const auto found = std::ranges::find_if(messages_, [&](const UpstreamMessage& one) {
      return nonce && one.senderNonce == *nonce &&
             one.transactionID == answer_.message.header.transactionID;
    });
    return found == messages_.end() ? nullptr : &*found;
  }

  // What is not authentic brings nothing.
  Outcome<Effects> hear_late() {
    TRY(believe());
    TRY(recall());
    auto services = at_.services();
    return at_.shared.role.hear_late(heard(), services);
  }

  // What the settings do not decide waits for a person, and so does what has no certificate that
  // could be told.
  Result<Decision> keep_orphans(const std::string& why) {
    const auto& orphans = at_.decision.effects.orphans;
    const auto open = std::ranges::find(orphans, OrphanState::open, &Orphan::state);
    if (orphans.empty()) return at_.keep_for_operator(why);
    if (open == orphans.end()) return at_.stay_silent(why + ": its certificate is nobody's");
    return at_.keep_for_operator(why + ": nobody has its certificate " + to_hex(open->serial) +
                                 " (`cmpost orphan list`)");
  }

  // Before anything of it is kept (roles: one forged file must not end a transaction).
  Outcome<void> believe() {
    ASSIGN_OR_RETURN(answer_.wishes,
                     check_header(answer_.message, *answer_.channel, answer_.likely));
    TRY(check_nonce());
    TRY(check_channel());
    ASSIGN_OR_RETURN(signer_, authenticate(answer_, at_.services()));
    TRY(at_.shared.role.check_above(answer_, *signer_));
    return {};
  }

  // Of the message that it answers, or, where somebody has polled meanwhile, of any of them (RFC
  // 9483 3.5).
  Checked<void> check_nonce() const {
    const auto& nonce = answer_.message.header.recipNonce;
    const bool known = nonce && std::ranges::any_of(messages_, [&](const UpstreamMessage& one) {
                         return one.senderNonce == *nonce;
                       });
    if (known) return {};
    return reject(PKIFailureInfo::badRecipientNonce,
                  "recipNonce is the senderNonce of nothing that was asked in this transaction");
  }

  // Who answers for one CA does not for another.
  Checked<void> check_channel() const {
    if (asked_->channel == answer_.channel->settings.name) return {};
    return reject(PKIFailureInfo::notAuthorized,
                  "it came on another channel than " + asked_->channel + ", where it was asked");
  }

  const UpstreamMessage& root() const { return root_of(*asked_, messages_); }
  bool is_opening() const { return root().seq == 1; }

  // The requester, and the message of it that is to be answered.
  Result<void> recall() {
    at_.request.channel = at_.find_channel(at_.transaction->channel);
    if (at_.request.channel == nullptr) {
      return hold("the channel " + at_.transaction->channel + " is not configured any more");
    }
    if (!at_.waiting) return hold("the ledger has lost what waits in " + at_.decision.tid);
    TRY(load_request());
    before_state_ = at_.transaction->state;
    after_ = *at_.waiting;
    ++after_.version;
    ASSIGN_OR_RETURN(const auto known, apart(authenticate_again(Judged::on_arrival)));
    if (!known) {
      log::warning("upstream.requester_gone",
                   {{"tid", at_.decision.tid}, {"reason", known.error().text}});
    }
    original_ = at_.request;
    return load_question();
  }

  // What stands in at_.request from then on is the message that is answered.
  Result<void> load_question() {
    const auto& question = asked_->question ? asked_->question : root().question;
    if (!question || *question == question_digest_) return {};
    ASSIGN_OR_RETURN(const auto stored, at_.table().message(at_.transaction->id, *question));
    if (!stored) return hold("the ledger has lost a message of " + at_.decision.tid);
    ASSIGN_OR_RETURN(auto request, request_in(*stored, at_.shared.sealing_key));
    auto message = decode(request, at_.request.channel->limits);
    if (!message) return hold("a stored message cannot be read: " + message.error().text());
    at_.request.message = std::move(*message);
    at_.request.der = std::move(request);
    at_.request.digest = *question;
    question_ = at_.request.message.header;
    question_digest_ = *question;
    return {};
  }

  Heard heard() const {
    return {*asked_,         answer_,     *signer_,
            original_,       at_.request, at_.requester ? &*at_.requester : nullptr,
            *at_.transaction};
  }

  Result<Decision> take() {
    if (is_own()) return note_own();
    TRY(recall());
    auto services = at_.services();
    ASSIGN_OR_RETURN(auto answer, apart(at_.shared.role.hear(heard(), services)));
    if (!answer) {
      return at_.keep_for_operator("an answer that does not count: " + answer.error().text);
    }
    return pass_down(*std::move(answer));
  }

  // What we have said by ourselves on behalf of the requester: nobody waits for the answer.
  bool is_own() const { return !asked_->question && asked_->body != "pollReq"; }

  Result<Decision> note_own() {
    at_.decision.effects.upstream.push_back(answered(*asked_));
    at_.decision.effects.audit.push_back(
        heard_entry(*asked_, body_name(answer_.message.body), signer_->text()));
    const auto said = status_about(answer_.message.body, kWholeMessage);
    const bool granted = said && is_granted(*said);
    if (said && !granted) tell_not_refused(words_of(*said));
    TRY(note_orphan(granted, said && !granted ? "the CA: " + words_of(*said) : ""));
    return at_.stay_silent("the CA has answered what was asked on behalf of the requester");
  }

  // Where it was about one: it is revoked, or for a person to see to.
  Result<void> note_orphan(bool revoked, std::string note) {
    OrphanTable table(at_.ledger->connection());
    ASSIGN_OR_RETURN(const auto orphan, table.of_refusal(asked_->transactionID));
    if (!orphan) return {};
    at_.decision.effects.orphan_changes.push_back(
        {.id = orphan->id,
         .from = {OrphanState::asked},
         .to = revoked ? OrphanState::revoked : OrphanState::open,
         .note = std::move(note)});
    return {};
  }

  UpstreamChange answered(const UpstreamMessage& message) const {
    return {.id = message.id,
            .from = kOpen,
            .to = UpstreamState::answered,
            .answer_body = std::string(body_name(answer_.message.body)),
            .answer = answer_.digest,
            .answer_nonce = answer_.message.header.senderNonce.value_or(Bytes()),
            .implicit = answer_.wishes.implicitConfirm,
            .answered = answer_.now,
            .answer_signer = signer_->text()};
  }

  Result<Decision> pass_down(Answer answer) {
    const auto above = answer.from_above ? *answer.from_above : FromAbove{};
    at_.decision.effects = std::move(answer.effects);
    at_.conclude(answer);
    at_.decision.effects.audit.push_back(
        heard_entry(*asked_, body_name(answer_.message.body), signer_->text()));
    auto& changes = at_.decision.effects.upstream;
    const auto& first = root();
    if (asked_ != &first) changes.push_back(answered(*asked_));
    changes.push_back(answered(first));
    changes.back().chain = in_one(above.chain);
    if (above.waits) {
      changes.back().to = UpstreamState::waits;
      changes.back().ask_again = above.ask_again;
      return wait_for_the_rest(answer, above);
    }
    end_polls();
    return finish(std::move(answer), above);
  }

  static Bytes in_one(const std::vector<CMPCertificate>& chain) {
    Bytes all;
    for (const auto& one : chain) all.insert(all.end(), one.der.begin(), one.der.end());
    return all;
  }

  // RFC 9810 5.3.22: perhaps it has decided some parts by now. Where the answers are ours, these
  // wait for a poll of the requester, or, if it is silent, for the rest.
  Result<Decision> wait_for_the_rest(const Answer& answer, const FromAbove& above) {
    const bool decides = is_opening() && !answer.undecided.empty();
    if (decides) note_answers(answer, false);
    if (!above.octets.empty()) return tell(answer, above);
    return decides ? pass_on(&above) : hear_no_more();
  }

  // What was asked again meanwhile has its answer in this one.
  void end_polls() {
    for (const auto& one : messages_) {
      if (!is_open(one.state) || one.body != "pollReq" || &one == asked_) continue;
      at_.decision.effects.upstream.push_back(
          {.id = one.id, .from = kOpen, .to = UpstreamState::given_up});
    }
  }

  // The last word about what opened the transaction, or about what follows it.
  Result<Decision> finish(Answer answer, const FromAbove& above) {
    if (!is_opening()) return answer_follow_up(std::move(answer), above, true);
    note_answers(answer, false);
    if (!is_poll_of_requester()) return pass_on(&above);
    deliver_ready();
    return answer_follow_up(std::move(answer), above, false);
  }

  // We ask again later, by ourselves; the requester hears nothing of it.
  Result<Decision> hear_no_more() {
    at_.decision.outcome = "the CA above wants more time";
    at_.note_in_audit("");
    return at_.stay_silent(at_.decision.outcome);
  }

  // `waiting` of the CA above, for a requester that asks it by itself.
  Result<Decision> tell(const Answer& answer, const FromAbove& above) {
    after_.told = true;
    deliver_ready();
    return reply_to_question(answer, above, at_.transaction->state);
  }

  void deliver_ready() {
    for (auto& part : after_.parts) {
      if (part.state == PartState::ready) note_delivered(part, *at_.transaction);
    }
  }

  // certConf, or a poll: the answer goes where it came from. `confirms`: what certConf was about
  // is settled.
  Result<Decision> answer_follow_up(Answer answer, const FromAbove& above, bool confirms) {
    auto& transaction = *at_.transaction;
    for (auto& one : transaction.certificates) {
      if (confirms && one.delivery == IssueState::confirmed) one.settled = true;
    }
    return reply_to_question(answer, above,
                             !after_.all_delivered()        ? TransactionState::waiting
                             : transaction.awaits_confirm() ? TransactionState::open
                                                            : TransactionState::closed);
  }

  Result<Decision> reply_to_question(const Answer& answer, const FromAbove& above,
                                     TransactionState state) {
    const auto nonce =
        above.senderNonce.empty() ? at_.shared.random.bytes(kNonceSize) : above.senderNonce;
    std::string reply_body(body_name(answer.body));
    auto der = above.octets;
    if (der.empty()) {
      ReplyParts parts{answer.body, answer.implicitConfirm, {}, nonce};
      ASSIGN_OR_RETURN(der, at_.build(header(), std::move(parts), reply_body));
    }
    auto& transaction = *at_.transaction;
    transaction.our_nonce = nonce;
    transaction.state = state;
    const auto id = reply_job();
    if (state != TransactionState::closed) await_confirm_of_delivered(id);
    auto& effects = at_.decision.effects;
    effects.advance = Effects::Advance{transaction, before_state_};
    if (nonce.size() == kNonceSize) after_.note_nonce(nonce);
    effects.waiting = after_;
    ASSIGN_OR_RETURN(effects.message, at_.stored(reply_body, der));
    effects.message->digest = question_digest_;
    effects.message_replaces = true;
    at_.note_in_audit(reply_body);
    return at_.send(id, reply_route(), reply_body, std::move(der), reply_source());
  }

  // Of what is confirmed already nothing is due of the requester.
  void await_confirm_of_delivered(const JobId& carrier) {
    auto& transaction = *at_.transaction;
    const bool due = std::ranges::any_of(transaction.certificates, [](const auto& one) {
      return !one.settled && one.delivery == IssueState::delivered;
    });
    if (due) at_.await_confirm(transaction, carrier);
  }

  // RFC 9483 3.6.1: a time-out ends the operation, and the requester hears so once.
  Result<Decision> give_up(const char* why) {
    auto answer = refusal({PKIFailureInfo::systemUnavail, why});
    at_.conclude(answer);
    // What is asked besides has a time of its own: the rest of the parts, or certConf about some.
    for (const auto& one : messages_) {
      if (!is_open(one.state) || &root_of(one, messages_) != &root()) continue;
      at_.decision.effects.upstream.push_back({.id = one.id,
                                               .from = kOpen,
                                               .to = UpstreamState::unanswered,
                                               .answered = at_.request.now});
    }
    log::warning("upstream.unanswered", {{"tid", at_.decision.tid}, {"channel", asked_->channel}});
    return finish(std::move(answer), {});
  }

  // A certificate that its requester does not have, or does not want, stays valid at the CA.
  void tell_not_refused(const std::string& why) const {
    log::error(
        "upstream.not_refused",
        {{"tid", to_hex(at_.transaction->transactionID)}, {"body", asked_->body}, {"answer", why}});
  }

  Result<Decision> lose_own() {
    at_.decision.effects.upstream.push_back({.id = asked_->id,
                                             .from = kOpen,
                                             .to = UpstreamState::unanswered,
                                             .answered = at_.request.now});
    tell_not_refused("no answer");
    TRY(note_orphan(false, "the CA has not answered the rr about it"));
    return at_.stay_silent("the CA has not answered what was asked on behalf of the requester");
  }

  Result<Decision> ask_again() {
    auto services = at_.services();
    ASSIGN_OR_RETURN(auto poll, apart(at_.shared.role.ask_again(*asked_, original_, services)));
    if (!poll)
      return at_.keep_for_operator("the CA above cannot be asked again: " + poll.error().text);
    at_.decision.effects.send_up.push_back(*std::move(poll));
    at_.decision.effects.upstream.push_back(
        {.id = asked_->id, .from = {UpstreamState::waits}, .to = UpstreamState::waits});
    return at_.stay_silent("the CA above is asked again");
  }

  Request answer_;    // what came from above
  Request original_;  // what has opened the transaction
  std::optional<Requester> signer_;
  UpstreamMessages messages_;
  const UpstreamMessage* asked_ = nullptr;
};

}  // namespace

Result<Decision> hear_above(const Lease& lease, LedgerReader& ledger,
                            const ProcessorServices& services) {
  ASSIGN_OR_RETURN(const bool batch, is_about_batch(lease, ledger, services));
  if (batch) return hear_batch(lease, ledger, services);
  ASSIGN_OR_RETURN(const bool ours, is_about_us(lease, ledger, services));
  if (ours) return hear_about_us(lease, ledger, services);
  const auto& channel = services.channels.at(lease.job.envelope.channel);
  return Relay(lease.job.id, lease.job.envelope, ledger, services).hear(lease.job, channel);
}

Result<Decision> tend_above(const Lease& lease, LedgerReader& ledger,
                            const ProcessorServices& services) {
  const auto row = upstream_row(lease.job);
  if (!row) return hold("a job about no message to a CA");
  ASSIGN_OR_RETURN(const auto asked, UpstreamTable(ledger.connection()).find(*row));
  if (asked && asked->renewal != 0) return tend_about_us(lease, *asked, ledger, services);
  Relay relay(lease.job.id, lease.job.envelope, ledger, services);
  return relay.tend(*row, text_of(lease.job.payload));
}

}  // namespace cmpost
