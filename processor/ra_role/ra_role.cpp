#include "processor/ra_role/ra_role.h"

#include <algorithm>

#include "processor/admission/device_search.h"
#include "processor/admission/message_audit.h"
#include "processor/consent/consent.h"
#include "processor/ra_role/choose_mode.h"
#include "processor/ra_role/heard_answer.h"
#include "processor/ra_role/heard_parts.h"
#include "processor/ra_role/issuers_of.h"
#include "processor/ra_role/judge_request.h"
#include "processor/ra_role/late_answer.h"
#include "processor/ra_role/local_confirmation.h"
#include "processor/ra_role/order_answer.h"
#include "processor/ra_role/own_request.h"
#include "processor/ra_role/upward.h"
#include "processor/transaction/transaction_table.h"
#include "processor/upstream/upstream_table.h"

namespace cmpost {
namespace {

constexpr auto kClockSlack = std::chrono::minutes(5);
constexpr std::int64_t kMostPolls = 5;  // of a requester's that are on their way at a time

using Messages = std::vector<UpstreamMessage>;

Result<Messages> messages_of(const Transaction& transaction, Services& services) {
  ASSIGN_OR_RETURN(auto messages,
                   UpstreamTable(services.ledger.connection()).of_transaction(transaction.id));
  if (messages.empty()) {
    return hold("the ledger has lost what was sent to the CA for " +
                to_hex(transaction.transactionID));
  }
  return messages;
}

// What people have said, or have to be asked, about all of it: the CA gets a request as a whole, or
// not at all.
struct Verdict {
  bool agreed = true;  // nobody has to be asked (any more)
  std::optional<Rejection> refused{};
  std::vector<WaitingPart> parts{};  // where not agreed: what waits, or goes on to
  Effects noted{};                   // what rules have said
  Effects granted{};                 // what counts where it goes up
};

// Waits for the rest; what a rule has agreed to it is asked about again then.
WaitingPart agreed(const Request& request, const JudgedPart& part, const JudgedConsent& consent) {
  const auto* before = request.waited == nullptr ? nullptr : request.waited->part(part.certReqId);
  auto kept = consent.by_people
                  ? *before
                  : ask_people(request, part.certReqId, part.subject, part.object, consent);
  kept.state = PartState::agreed;
  return kept;
}

// What the CA makes of it is the CA's: only what is asked for is known.
std::optional<CertificateToBe> certificate_of(const JudgedPart& part, std::int64_t before) {
  if (part.profile == nullptr) return std::nullopt;
  return CertificateToBe{
      *part.profile, part.wanted, part.extensions, part.key ? &*part.key : nullptr, {}, before};
}

Result<JudgedConsent> consent_about(const Request& request, const Requester& requester,
                                    const JudgedPart& part, const Verdict& before,
                                    const Services& services) {
  const auto certificate =
      certificate_of(part, static_cast<std::int64_t>(before.noted.rule_records.size()));
  return consent_to(request,
                    {part.certReqId, part.object, requester, certificate ? &*certificate : nullptr,
                     before.granted.rule_uses},
                    services);
}

// A part that waits is left as it is.
void add_verdict(const Request& request, const JudgedPart& part, const JudgedConsent& consent,
                 Verdict& verdict) {
  using What = Consent::What;
  note_ruling(request, consent, part.object, verdict.noted);
  switch (consent.what) {
    case What::granted:
      note_granted(consent, verdict.granted);
      verdict.parts.push_back(agreed(request, part, consent));
      return;
    case What::settled:
      verdict.refused = Rejection{PKIFailureInfo::notAuthorized,
                                  "another part of the request has been refused before"};
      return;
    case What::refused:
      verdict.refused = consent.rejection;
      return;
    case What::needed:
    case What::agreed:
      verdict.parts.push_back(
          ask_people(request, part.certReqId, part.subject, part.object, consent));
      break;
    case What::pending:
      break;
  }
  verdict.agreed = false;
}

Result<Verdict> verdict_on(const Request& request, const Requester& requester, const Judged& judged,
                           const Services& services) {
  Verdict verdict;
  for (const auto& part : judged.parts) {
    ASSIGN_OR_RETURN(const auto consent,
                     consent_about(request, requester, part, verdict, services));
    add_verdict(request, part, consent, verdict);
  }
  return verdict;
}

std::vector<WaitingPart> upstream_parts(const Request& request, const Judged& judged) {
  std::vector<WaitingPart> parts;
  for (const auto& one : judged.parts) {
    WaitingPart part;
    const auto* before = request.waited == nullptr ? nullptr : request.waited->part(one.certReqId);
    if (before != nullptr) part = *before;
    part.certReqId = one.certReqId;
    part.subject = one.subject;
    part.object = encode_consent_object(one.object);
    part.state = PartState::upstream;
    parts.push_back(std::move(part));
  }
  return parts;
}

// Which certificate is renewed, so that it counts as such once the new one is accepted.
Result<void> note_renewal(const Request& request, const Requester& requester, Services& services,
                          Answer& answer) {
  const auto* holder = requester.certificate();
  if (!std::holds_alternative<body::kur>(request.message.body)) return {};
  if (holder == nullptr || !holder->record) return {};
  answer.old_serial = holder->record->serial;
  ASSIGN_OR_RETURN(const auto open, TransactionTable(services.ledger.connection())
                                        .open_renewals(answer.old_serial, request.transaction));
  answer.effects.open_renewals = open.size();
  return {};
}

Answer waiting(const Request& request, std::vector<WaitingPart> parts, std::string outcome) {
  Answer answer;
  answer.body = waiting_answer(request.message.body);
  answer.undecided = std::move(parts);
  answer.outcome = std::move(outcome);
  return answer;
}

// Whoever MACs or signs the answer vouches for the anchors in it (RFC 9483 4.1.1): of those that it
// does not know itself it says nothing. In cp, kup and ccp there are none (4.1.2, 4.1.3).
void keep_known_anchors(PKIBody& body, const ChannelPolicy& channel) {
  auto* content = const_cast<CertRepMessage*>(cert_response(body));
  if (content == nullptr || !content->caPubs) return;
  const bool may_have_some = std::holds_alternative<body::ip>(body);
  const auto unknown = [&](const CMPCertificate& one) {
    return std::ranges::none_of(channel.vendors.anchors(), [&](const Certificate& anchor) {
      return equal(anchor.der(), one.der);
    });
  };
  std::erase_if(*content->caPubs, unknown);
  if (!may_have_some || content->caPubs->empty()) content->caPubs.reset();
}

std::optional<Time> confirm_wait_time(const PKIHeader& header) {
  const auto* item = find(header.generalInfo, oid::id_it_confirmWaitTime);
  if (item == nullptr || !item->infoValue) return std::nullopt;
  der::Reader reader(*item->infoValue);
  const auto time = reader.generalized_time();
  return time ? std::optional(*time) : std::nullopt;
}

// each part that waits, or -1 for what is answered as a whole.
PKIBody poll_for(const UpstreamMessage& asked, const Request& question) {
  body::pollReq poll;
  const bool parts = asked.seq == 1 && cert_requests(question.message.body) != nullptr;
  if (parts && question.waited != nullptr) {
    for (const auto& one : question.waited->parts) {
      if (one.state == PartState::upstream) poll.requests.push_back({one.certReqId});
    }
  }
  if (poll.requests.empty()) poll.requests.push_back({kWholeMessage});
  return poll;
}

// What certConf is about, which the CA has answered.
Transaction in_question(const Transaction& transaction) {
  auto about = transaction;
  std::erase_if(about.certificates, [](const TransactionCertificate& one) {
    return one.settled || one.delivery != IssueState::confirmed;
  });
  return about;
}

// Where it is for us to ask.
std::optional<Time> when_to_ask_again(const Heard& heard) {
  if (heard.asked.mode != UpstreamMode::reprotect) return std::nullopt;
  const auto usual = heard.answer.channel->check_after(heard.answer.now);
  return heard.answer.likely + check_after(heard.answer.message.body, usual);
}

}  // namespace

Time RaRole::begins() const { return identity_.certificate.not_before() - kClockSlack; }

Outcome<Answer> RaRole::open(const Request& request, const Requester& requester,
                             Services& services) const {
  const auto& body = request.message.body;
  TRY(check_right(requester.rights, wanted::Message{body}));
  if (requester.secret() != nullptr && std::holds_alternative<body::rr>(body) &&
      !requester.secret()->revokes) {
    return reject(PKIFailureInfo::wrongIntegrity, "rr is protected by a signature");
  }
  ASSIGN_OR_RETURN(auto held, hold_unlisted(request, requester));
  if (held) return *std::move(held);
  ASSIGN_OR_RETURN(const auto judged, apart(judge_request(request, requester, services)));
  if (!judged) return refuse_all(body, judged.error());
  if (judged->by_challenge) {
    return refuse_all(body, {PKIFailureInfo::badPOP,
                             "this registration authority passes on no challenge: prove possession "
                             "by a signature, or by the encrypted certificate"});
  }
  // Before anybody is asked about what cannot go up.
  const auto way = way_up(settings_, request, requester, judged->profiles, channels_);
  if (!way) return refuse_all(body, way.error());
  ASSIGN_OR_RETURN(auto verdict, verdict_on(request, requester, *judged, services));
  Answer answer;
  if (verdict.refused) {
    answer = refuse_all(body, *verdict.refused);
  } else if (verdict.agreed) {
    ASSIGN_OR_RETURN(answer, send_up(request, requester, *judged, *way, services));
    answer.effects.merge(std::move(verdict.granted));
  } else {
    answer = waiting(request, std::move(verdict.parts), "waits for approval");
    TRY(note_renewal(request, requester, services, answer));
  }
  answer.effects.merge(std::move(verdict.noted));
  return answer;
}

Outcome<Answer> RaRole::send_up(const Request& request, const Requester& requester,
                                const Judged& judged, const WayUp& way, Services& services) const {
  const auto& channel = *way.channel;
  Changes changes;
  changes.implicitConfirm = way.mode == UpstreamMode::reprotect && judged.certificates > 0 &&
                            settings_.confirm == RaSettings::Confirm::local &&
                            !judged.by_certificate;
  ASSIGN_OR_RETURN(auto message, make_upward(way.mode, request, channel, changes, services));
  message.seq = 1;
  for (const auto& key : judged.keys) {
    message.keys.push_back(sha256(key.spki));
    if (key.fresh) message.fresh_keys.push_back(message.keys.back());
  }
  if (message.key) message.profile = *judged.profiles.begin();
  message.transaction = request.transaction;
  const bool collects = settings_.mode == RaSettings::Mode::batch;
  if (collects && way.mode != UpstreamMode::pkcs10) message.state = UpstreamState::collected;
  auto answer =
      waiting(request, upstream_parts(request, judged), "asked of " + channel.settings.name);
  TRY(note_renewal(request, requester, services, answer));
  answer.effects.use_tokens = judged.tokens;
  for (const auto& key : judged.keys) {
    if (key.fresh) answer.effects.fresh_keys.push_back({key.spki, key.seen});
  }
  if (const auto* holder = requester.secret(); holder != nullptr && judged.certificates > 0) {
    answer.effects.use_secret = SecretUse{holder->secret.reference, holder->secret.identity,
                                          static_cast<std::int64_t>(judged.certificates)};
  }
  answer.effects.send_up.push_back(std::move(message));
  return answer;
}

// A follow-up goes the way that its transaction has gone (RFC 9483 3.2).
Outcome<Answer> RaRole::pass_on(const Request& request, const Transaction& transaction,
                                Services& services) const {
  ASSIGN_OR_RETURN(const auto messages, messages_of(transaction, services));
  const auto body = body_name(request.message.body);
  const auto asked = std::ranges::count_if(messages, [&](const UpstreamMessage& one) {
    return one.body == body && one.question && is_open(one.state);
  });
  // A poll that has got lost is followed by another one.
  if (asked >= (body == "pollReq" ? kMostPolls : 1)) {
    return reject(PKIFailureInfo::badRequest,
                  "the CA has not answered the " + std::string(body) + " before this one");
  }
  const auto& first = messages.front();
  const auto found = channels_.find(first.channel);
  if (found == channels_.end()) {
    return hold("the channel " + first.channel + " is not configured any more");
  }
  Changes changes;
  // Who has polled here knows a nonce of ours; the CA knows its own alone.
  if (first.mode == UpstreamMode::reprotect) {
    changes.recipNonce = nonce_from_above(messages);
  }
  changes.signer = first.signer;
  ASSIGN_OR_RETURN(auto message,
                   make_upward(first.mode, request, found->second, changes, services));
  message.transaction = transaction.id;
  message.seq = messages.back().seq + 1;
  if (settings_.mode == RaSettings::Mode::batch) message.state = UpstreamState::collected;
  Answer answer;
  answer.passed_up = true;
  answer.outcome = "passed on to " + first.channel;
  answer.effects.send_up.push_back(std::move(message));
  return answer;
}

Outcome<Answer> RaRole::confirm(const Request& request, const Requester&,
                                const Transaction& transaction, Services& services) const {
  ASSIGN_OR_RETURN(const auto messages, messages_of(transaction, services));
  // What was asked for counts, whatever `confirm` says by now.
  if (answers_are_ours(messages.front().mode) && confirmed_above(messages)) {
    return confirm_here(request, transaction, messages, channels_, services);
  }
  return pass_on(request, transaction, services);
}

// RFC 9483 3.6.1: an RA sends no error up. What it has asked for in its own name it refuses by
// certConf; everything else the CA ends by itself.
Outcome<Answer> RaRole::give_up(const Request& request, const Requester&,
                                const Transaction& transaction, Services& services) const {
  // None yet, where people have not agreed.
  ASSIGN_OR_RETURN(const auto messages,
                   UpstreamTable(services.ledger.connection()).of_transaction(transaction.id));
  Answer answer;
  answer.body = body::pkiconf{};
  answer.outcome = "ended by an error message of the requester";
  for (const auto& one : messages) {
    if (!is_open(one.state)) continue;
    answer.effects.upstream.push_back({.id = one.id,
                                       .from = {one.state},
                                       .to = UpstreamState::given_up,
                                       .answered = request.now});
  }
  ASSIGN_OR_RETURN(auto refused, refuse_above(transaction, messages, request.message.header.pvno,
                                              request.now, channels_, services));
  answer.effects.merge(std::move(refused));
  return answer;
}

Outcome<std::optional<Answer>> RaRole::poll(const Request& request, const Requester&,
                                            const Transaction& transaction,
                                            Services& services) const {
  ASSIGN_OR_RETURN(const auto messages,
                   UpstreamTable(services.ledger.connection()).of_transaction(transaction.id));
  const auto waits = std::ranges::find(messages, UpstreamState::waits, &UpstreamMessage::state);
  if (waits == messages.end() || answers_are_ours(waits->mode)) return std::nullopt;
  ASSIGN_OR_RETURN(auto answer, pass_on(request, transaction, services));
  return answer;
}

// The certificate of who answers for a CA: named by `trust` itself, or below it one of a CA, one
// for id-kp-cmcCA (RFC 9483 3.2), or of a subject that `signers` names.
Checked<void> RaRole::check_above(const Request& answer, const Requester& signer) const {
  const auto& channel = *answer.channel;
  if (const auto* holder = signer.secret()) {
    if (holder->secret.reference == channel.settings.upstream.secret) return {};
    return reject(PKIFailureInfo::notAuthorized, "the MAC is not under the secret of the channel");
  }
  const auto& certificate = signer.certificate()->certificate;
  const auto& anchors = channel.vendors.anchors();
  const bool pinned = std::ranges::find(anchors, certificate) != anchors.end();
  const bool authority = certificate.is_ca() && certificate.allows(KeyUsageBit::digitalSignature);
  const bool named =
      std::ranges::any_of(channel.settings.upstream.signers, [&](const std::string& text) {
        const auto pattern = SubjectPattern::parse(text);
        return pattern && pattern->covers(certificate.subject());
      });
  if (pinned || authority || named || certificate.has_extended_key_usage(oid::id_kp_cmcCA)) {
    return {};
  }
  return reject(PKIFailureInfo::notAuthorized,
                "it is signed by " + certificate.subject_text() +
                    ", which is not for answers of a CA (id-kp-cmcCA), and neither `trust` nor "
                    "`signers` names it");
}

Outcome<Answer> RaRole::hear(const Heard& heard, Services& services) const {
  const auto& message = heard.answer.message;
  TRY(check_answers(heard.asked, heard.question.message.body, message.body));
  Answer answer;
  FromAbove above;
  above.senderNonce = message.header.senderNonce.value_or(Bytes());
  if (heard.asked.mode != UpstreamMode::reprotect) above.octets = heard.answer.der;
  answer.body = message.body;
  above.waits = says_waiting(message.body);
  bool decides = !above.waits;
  if (cert_response(message.body) != nullptr) {
    ASSIGN_OR_RETURN(auto parts, sort_parts(heard.asked, heard.question, message.body));
    above.waits = !parts.rest.empty();
    decides = parts.decides;
    if (decides) {
      answer.body = std::move(parts.body);
      answer.undecided = std::move(parts.rest);
    }
  }
  if (above.waits) above.ask_again = when_to_ask_again(heard);
  answer.outcome = !above.waits ? "answered by " + heard.asked.channel
                   : decides    ? "answered in part by " + heard.asked.channel
                                : "the CA wants more time";
  if (decides) TRY(take_decided(heard, answer, above, services));
  answer.from_above = std::move(above);
  return answer;
}

Outcome<void> RaRole::take_decided(const Heard& heard, Answer& answer, FromAbove& above,
                                   Services& services) const {
  const auto& message = heard.answer.message;
  if (heard.asked.mode == UpstreamMode::reprotect) {
    keep_known_anchors(answer.body, *heard.answer.channel);
    above.chain = issuers_of(answer.body, message.extraCerts);
  }
  const bool wanted =
      find(heard.question.message.header.generalInfo, oid::id_it_implicitConfirm) != nullptr;
  answer.implicitConfirm = heard.answer.wishes.implicitConfirm && wanted;
  above.confirmWaitTime = confirm_wait_time(message.header);
  if (const auto refused = refusal_in(answer.body)) answer.refuse(*refused);
  TRY(note_certificates(heard, answer));
  if (!std::holds_alternative<body::certConf>(heard.replied_to.message.body))
    give_back(heard.question, heard.requester, answer);
  if (!answer.certificates.empty() && heard.answer.wishes.implicitConfirm) {
    TRY(note_renewed(heard.transaction, answer.certificates, services, answer.effects));
  }
  if (std::holds_alternative<body::rp>(message.body)) {
    TRY(note_revocations(heard.question.message.body, message.body, heard.answer.now, services,
                         answer.effects));
  }
  const auto* certConf = std::get_if<body::certConf>(&heard.replied_to.message.body);
  if (certConf != nullptr && std::holds_alternative<body::pkiconf>(message.body)) {
    TRY(note_confirmation(in_question(heard.transaction), *certConf, heard.answer.now, services,
                          answer.effects));
  }
  return {};
}

Outcome<Effects> RaRole::hear_late(const Heard& heard, Services&) const {
  return orphans_in(heard, settings_.orphans);
}

Outcome<Effects> RaRole::revoke(const Orphan& orphan, Time now, Services& services) const {
  return ask_for_revocation(orphan, channels_, now, services);
}

Outcome<Answer> RaRole::hear_order(const HeardOrder& heard, Services& services) const {
  return answer_order(heard, services);
}

Outcome<UpstreamMessage> RaRole::ask_again(const UpstreamMessage& asked, const Request& question,
                                           Services& services) const {
  Transaction transaction;
  transaction.id = asked.transaction;
  transaction.transactionID = asked.transactionID;
  ASSIGN_OR_RETURN(const auto messages, messages_of(transaction, services));
  const auto found = channels_.find(asked.channel);
  if (found == channels_.end()) {
    return hold("the channel " + asked.channel + " is not configured any more");
  }
  ASSIGN_OR_RETURN(auto poll,
                   make_own(poll_for(asked, question), asked, question.message.header.pvno,
                            nonce_from_above(messages), found->second, question.now, services));
  poll.seq = messages.back().seq + 1;
  return poll;
}

Outcome<Effects> RaRole::hear_own(const OwnHeard& heard, Services& services) const {
  const auto found = channels_.find(heard.asked.channel);
  if (found == channels_.end()) {
    return hold("the channel " + heard.asked.channel + " is not configured any more");
  }
  return hear_about_us(heard, found->second, services);
}

Outcome<UpstreamMessage> RaRole::ask_again_own(const UpstreamMessages& messages,
                                               const UpstreamMessage& asked, Time now,
                                               Services& services) const {
  const auto found = channels_.find(asked.channel);
  if (found == channels_.end()) {
    return hold("the channel " + asked.channel + " is not configured any more");
  }
  return poll_about_us(messages, asked, found->second, now, services);
}

Result<UpstreamBatch> RaRole::wrap(const std::vector<UpstreamMessage>& messages,
                                   const ChannelPolicy& channel, Time now,
                                   Services& services) const {
  return make_batch(messages, channel, now, services);
}

Result<Effects> RaRole::end(const Transaction& transaction, UnconfirmedRule rule, Time now,
                            Services& services) const {
  if (rule != UnconfirmedRule::revoke) return Effects();
  ASSIGN_OR_RETURN(const auto messages, messages_of(transaction, services));
  return refuse_above(transaction, messages, transaction.pvno, now, channels_, services);
}

Result<CheckVerdicts> RaRole::explain(const Request& request, const Requester& requester,
                                      Services& services) const {
  using enum CheckVerdict::Verdict;
  CheckVerdicts verdicts;
  ASSIGN_OR_RETURN(const auto judged, apart(judge_request(request, requester, services)));
  if (!judged) {
    verdicts.push_back(
        {"possession, names and rights", failed,
         std::string(to_string(judged.error().failInfo)) + ": " + judged.error().text});
    return verdicts;
  }
  verdicts.push_back({"possession, names and rights", passed, ""});
  const auto way = way_up(settings_, request, requester, judged->profiles, channels_);
  verdicts.push_back({"way to the CA", way ? passed : failed,
                      way ? std::string(to_string(way->mode)) + " to " + way->channel->settings.name
                          : way.error().text});
  return verdicts;
}

}  // namespace cmpost
