// What a message is about: the transaction that it opens or goes on with.
#include <algorithm>

#include "processor/admission/asked_certificate.h"
#include "processor/admission/header_rules.h"
#include "processor/admission/private_key_leaves.h"
#include "processor/dialogue/responder.h"
#include "processor/possession/challenge.h"
#include "processor/transaction/stored_request.h"

namespace cmpost {

Responder::Worked Responder::work() {
  at_.request.der = to_bytes(arrival_.der);
  return opens_transaction(body()) ? open() : go_on();
}

Responder::Worked Responder::open() {
  auto allowed = check_may_open(*at_.requester, body());
  if (!allowed) return {Step::none, failure(std::move(allowed).error())};
  stage_ = Milestone::body;
  auto services = at_.services();
  // Also a refusal ends the transaction that it would have opened.
  return {Step::opens, at_.shared.role.open(at_.request, *at_.requester, services)};
}

Responder::Worked Responder::go_on() {
  stage_ = Milestone::transaction;
  if (!at_.transaction && may_be_early()) {
    return {Step::none, early("it follows a message that has not come")};
  }
  auto follows = check_follows();
  if (!follows) return {Step::none, failure(std::move(follows).error())};
  stage_ = Milestone::body;
  if (std::holds_alternative<body::pollReq>(body())) return {Step::none, poll()};
  if (std::holds_alternative<body::certConf>(body())) return confirm();
  if (std::holds_alternative<body::popdecr>(body())) return take_response();
  if (std::holds_alternative<body::error>(body())) return end();
  return {Step::none, reject(PKIFailureInfo::badRequest, "a message with the body " +
                                                             std::string(body_name(body())) +
                                                             " is not expected now")};
}

// a follow-up fits a transaction that has not ended and comes
// from the one who opened it. None of these refusals touches the transaction.
Checked<void> Responder::check_follows() const {
  const bool polls = std::holds_alternative<body::pollReq>(body());
  const bool has_ended = !at_.transaction || at_.transaction->state == TransactionState::closed;
  // Also what has ended is delivered again.
  if (polls ? !at_.waiting : has_ended) return no_transaction();
  TRY(check_credential());
  TRY(check_right(at_.requester->rights, wanted::Message{body()}));
  return check_recip_nonce();
}

tl::unexpected<Rejection> Responder::no_transaction() const {
  const bool confirmed = at_.transaction && std::holds_alternative<body::certConf>(body());
  return reject(
      confirmed && channel().strict ? PKIFailureInfo::certConfirmed : PKIFailureInfo::badRequest,
      "no open transaction has this transactionID");
}

// Only who is known may wait: authentication comes first.
bool Responder::may_be_early() const {
  return !in_batch() && arrival_.arrived + channel().out_of_order > at_.request.now;
}

Decision::Early Responder::early(std::string why) const {
  // Doubles with each lease; within one process it is looked at once more when the queue is empty.
  const auto shift = std::clamp(arrival_.attempts - 1, 0, 9);
  return {at_.request.now + std::chrono::seconds(1 << shift), std::move(why)};
}

// A kur goes up with the protection of its sender (RFC 9483 5.2.3), what follows it may come with
// that of an RA: the same kind of protection (3.2), and a sender that policy authorises (3.5).
bool Responder::is_relayed() const {
  const auto& transaction = *at_.transaction;
  const bool relayable = std::holds_alternative<body::certConf>(body()) ||
                         std::holds_alternative<body::pollReq>(body());
  return relayable && !channel().strict && stands_for_others(*at_.requester) &&
         is_of_signer(transaction.credential) && transaction.channel == channel().name;
}

Checked<void> Responder::check_credential() const {
  const auto& transaction = *at_.transaction;
  if (transaction.credential == at_.requester->credential() || is_relayed()) return {};
  return failure(at_.requester->refuse_instead_of(transaction.credential));
}

// where polls and answers cross, any of our latest messages may be the one that is
// followed. Who has heard nothing of us yet has no nonce to send.
Checked<void> Responder::check_recip_nonce() const {
  const auto& nonce = request_header().recipNonce;
  const bool last = nonce && *nonce == at_.transaction->our_nonce;
  const bool known = at_.waiting && nonce && at_.waiting->knows_nonce(*nonce);
  const bool heard_nothing = at_.waiting && at_.waiting->our_nonces.empty() && !nonce;
  if (last || known || heard_nothing) return {};
  return reject(PKIFailureInfo::badRecipientNonce,
                "recipNonce is not the senderNonce of the last answer");
}

// the parked request is worked on as if it had just come, and its answer answers popdecr.
Responder::Worked Responder::take_response() {
  auto answer = [&]() -> Outcome<Answer> {
    if (at_.transaction->state != TransactionState::challenged) return no_transaction();
    ASSIGN_OR_RETURN(auto parked, parked_request());
    // What has been added around popdecr stands around what it takes up.
    parked.endorsed_by = at_.request.endorsed_by;
    TRY(note_reprotection(parked));
    at_.request.endorsed_by = parked.endorsed_by;
    TRY(check_may_open(*at_.requester, parked.message.body));
    if (parked.message.header.pvno != request_header().pvno) {
      return reject(PKIFailureInfo::badRequest, "popdecr has another pvno than the request");
    }
    auto services = at_.services();
    return at_.shared.role.open(parked, *at_.requester, services);
  }();
  return {answer ? Step::takes_up : Step::none, std::move(answer)};
}

Outcome<Request> Responder::parked_request() {
  const auto lost = [&] { return hold("the ledger has lost the request " + at_.decision.tid); };
  ASSIGN_OR_RETURN(const auto stored, at_.table().first_message(at_.transaction->id));
  if (!stored) return lost();
  ASSIGN_OR_RETURN(auto request, request_in(*stored, at_.shared.sealing_key));
  auto message = decode(request, at_.request.channel->limits);
  const auto answer = decode(stored->reply, {});
  if (!message || !answer) return lost();
  const auto* given = std::get_if<body::popdecc>(&answer->body);
  if (given == nullptr) return lost();
  Request parked;
  parked.message = std::move(*message);
  parked.der = std::move(request);
  parked.digest = stored->digest;
  parked.peer = at_.request.peer;
  parked.source = at_.request.source;
  parked.channel = at_.request.channel;
  ASSIGN_OR_RETURN(parked.wishes,
                   check_header(parked.message, *parked.channel, at_.transaction->opened));
  mean_only_profile(parked, *at_.requester);
  parked.now = at_.request.now;
  parked.sure = at_.request.sure;
  parked.likely = at_.request.likely;
  parked.transaction = at_.transaction->id;
  parked.challenges_met =
      challenges_met(challenged_keys(parked), *given, std::get<body::popdecr>(body()));
  return parked;
}

Outcome<Responder::Next> Responder::poll() {
  auto services = at_.services();
  ASSIGN_OR_RETURN(auto above,
                   at_.shared.role.poll(at_.request, *at_.requester, *at_.transaction, services));
  if (above) return *std::move(above);
  const auto check_after = at_.request.channel->check_after(at_.request.now);
  const auto& requests = std::get<body::pollReq>(body()).requests;
  ASSIGN_OR_RETURN(auto answer, answer_poll(requests, *at_.waiting, check_after));
  if (carries_private_key(answer.body)) TRY(check_may_leave(at_.request));
  const bool patient = arrival_.turn == Turn::first && !in_batch();
  if (answer.soon && patient) return early("what it asks for is being worked on");
  return answer;
}

// What has been sent by then: certConf that crosses a later answer is not about what that has
// brought.
bool Responder::is_confirmed(const TransactionCertificate& issued) const {
  if (!issued.awaits_confirm()) return false;
  const auto* certConf = std::get_if<body::certConf>(&body());
  const bool crosses = request_header().recipNonce != at_.transaction->our_nonce;
  if (certConf == nullptr || certConf->statuses.empty() || !crosses) return true;
  return std::ranges::find(certConf->statuses, issued.certReqId, &CertStatus::certReqId) !=
         certConf->statuses.end();
}

Responder::Worked Responder::confirm() {
  if (!at_.transaction->awaits_confirm()) return {Step::none, no_transaction()};
  auto about = *at_.transaction;
  std::erase_if(about.certificates, [&](const auto& one) { return !is_confirmed(one); });
  auto services = at_.services();
  auto answer = at_.shared.role.confirm(at_.request, *at_.requester, about, services);
  return {answer ? Step::goes_on : Step::none, std::move(answer)};
}

Responder::Worked Responder::end() {
  auto services = at_.services();
  auto answer = at_.shared.role.give_up(at_.request, *at_.requester, *at_.transaction, services);
  return {answer ? Step::gives_up : Step::none, std::move(answer)};
}

}  // namespace cmpost
