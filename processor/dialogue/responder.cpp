#include "processor/dialogue/responder.h"

#include <algorithm>
#include <utility>

#include "cmp/direction.h"
#include "processor/admission/announcement.h"
#include "processor/admission/authentication.h"
#include "processor/admission/header_rules.h"
#include "processor/admission/kem_ciphertext.h"
#include "processor/admission/kem_protection.h"
#include "processor/admission/message_audit.h"
#include "processor/admission/private_key_leaves.h"
#include "processor/admission/revocation_passphrase.h"
#include "processor/possession/challenge.h"
#include "processor/transaction/audit_detail.h"
#include "processor/transaction/stored_request.h"

namespace cmpost {
namespace {

// Nobody agrees to what it asks for itself, with whatever certificate.
bool is_same_party(const Requester& one, const Requester& other) {
  const auto *a = one.certificate(), *b = other.certificate();
  if (a == nullptr) return false;
  if (other.is_called(a->certificate.subject())) return true;
  return b != nullptr && equal(a->certificate.spki(), b->certificate.spki());
}

// Whether a request that an RA has protected is certainly for somebody else. Where subject or key
// stand in it only later, that is not known.
bool is_for_another(const PKIBody& body, const Certificate& ra) {
  const auto differs = [&](const Name& subject, ByteView spki) {
    return !subject.is_null_dn() && !subject.same(ra.subject()) && !equal(spki, ra.spki());
  };
  if (const auto* request = std::get_if<body::p10cr>(&body)) {
    return differs(request->request.subject, request->request.spki.der);
  }
  if (const auto* revocation = std::get_if<body::rr>(&body)) {
    return std::ranges::all_of(revocation->details, [&](const RevDetails& details) {
      const auto& serial = details.certDetails.serialNumber;
      return serial && !equal(*serial, ra.serial_number());
    });
  }
  const auto* requests = cert_requests(body);
  return requests != nullptr && !std::holds_alternative<body::kur>(body) &&
         std::ranges::all_of(*requests, [&](const CertReqMsg& message) {
           const auto& wanted = message.certReq.certTemplate;
           return wanted.subject && wanted.publicKey &&
                  differs(*wanted.subject, wanted.publicKey->der);
         });
}

}  // namespace

Responder::Responder(Arrival arrival, const ProcessorServices& services)
    : arrival_(std::move(arrival)), at_(arrival_.job, arrival_.envelope, services) {
  at_.in_batch = in_batch();
}

void Responder::read() {
  const auto& name = arrival_.envelope.channel;
  at_.request.channel = at_.find_channel(name);
  if (at_.request.channel == nullptr) {
    kept_ = "the channel " + name + " is not configured any more";
    return;
  }
  stage_ = Milestone::encoding;
  auto message = decode(arrival_.der, at_.request.channel->limits);
  if (!message) return note_unreadable(message.error());
  readable_ = true;
  at_.request.message = std::move(*message);
  at_.request.peer = arrival_.envelope.reply.address;
  at_.request.source = arrival_.envelope.source;
  const auto& tid = request_header().transactionID;
  if (tid) at_.decision.tid = to_hex(*tid);
  const auto direction = direction_of(body());
  if (direction == MessageDirection::response) return ignore_response(body_name(body()));
  stage_ = Milestone::header;
  const bool nested = std::holds_alternative<body::nested>(body());
  expects_nothing_ =
      direction == MessageDirection::error || (nested && asks_for_nothing(arrival_.der));
}

// We ask nobody, so a response belongs to no transaction of ours: it came back, or went astray. An
// answer to it would be one more response that goes astray, without end.
void Responder::ignore_response(std::string_view what) {
  auto why = "a response, " + std::string(what) + ", to something that was not asked here";
  if (in_batch()) {
    fault_ = {PKIFailureInfo::badRequest, std::move(why)};
  } else {
    ignored_ = std::move(why);
  }
}

// Of a large batch this takes as long as a thousand signatures, so it is not part of read().
void Responder::note_digest() {
  if (!std::exchange(digested_, true)) at_.request.digest = sha256(arrival_.der);
}

Result<void> Responder::check(LedgerReader& ledger) {
  if (kept_ || fault_ || ignored_) return {};
  at_.ledger = &ledger;
  note_digest();
  const auto identified = identify();
  if (identified) return {};
  if (const auto* rejection = identified.error().rejection()) {
    // Whoever announces something waits for no answer, not even for an error.
    if (is_announcement(body()) && !in_batch()) {
      ignored_ = "an announcement that is not believed: " + rejection->text;
    } else {
      fault_ = *rejection;
    }
    return {};
  }
  return failure(*identified.error().error());
}

const PKIHeader* Responder::header() const { return readable_ ? &request_header() : nullptr; }

bool Responder::is_of_use() const {
  if (fault_) return false;
  if (is_announcement(body())) return ignored_.has_value();
  return at_.transaction && at_.transaction->state != TransactionState::closed;
}

void Responder::note_endorsement(const Requester& by) {
  using enum RaApproval;
  const auto rule = channel().waiting.ra_approval;
  at_.request.endorsed = rule != none && at_.requester && !is_same_party(by, *at_.requester);
}

// RFC 9483 5.2.3: whoever puts its own protection in place of another's approves, too.
void Responder::note_reprotection() {
  const auto& requester = *at_.requester;
  if (channel().waiting.ra_approval != RaApproval::any || !requester.is_ra()) return;
  at_.request.endorsed = is_for_another(body(), requester.certificate()->certificate);
}

void Responder::refuse_with(Rejection rejection) {
  if (kept_) return;  // there is nobody to tell
  fault_ = std::move(rejection);
}

// While the clock is in doubt either time will do.
Checked<HeaderWishes> Responder::checked_header() const {
  const auto& request = at_.request;
  auto wishes = check_header(request.message, *request.channel, request.now);
  if (wishes || request.likely == request.now) return wishes;
  return check_header(request.message, *request.channel, request.likely);
}

Outcome<void> Responder::identify() {
  const auto& tid = request_header().transactionID;
  if (tid && !tid->empty()) {
    TRY(at_.find_transaction(*tid));
    if (at_.transaction) at_.request.opened_by = at_.transaction->credential;
    ASSIGN_OR_RETURN(resend_, find_duplicate());
    if (resend_) return {};
  }
  ASSIGN_OR_RETURN(at_.request.wishes, checked_header());
  stage_ = Milestone::sender;
  if (is_announcement(body())) return hear();
  TRY(recall_certificates());
  if (asks_for_kem_ciphertext(at_.request)) return give_ciphertext();
  auto requester = authenticate(at_.request, at_.services());
  if (requester) {
    at_.requester = std::move(*requester);
    note_reprotection();
    // An added protection has the transactionID of what it protects.
    const bool opens = opens_transaction(body()) && !std::holds_alternative<body::nested>(body());
    stage_ = Milestone::credential;
    if (!at_.transaction || !opens) return {};
    stage_ = Milestone::transaction;
    return reject(PKIFailureInfo::transactionIdInUse, "the transactionID has been used before");
  }
  TRY(count_failure(requester.error()));
  return failure(std::move(requester).error());
}

// extraCerts "MAY be omitted in certConf, PKIConf, pollReq," when they were in an earlier message
// (RFC 9483 3.3): what has opened the transaction has them.
Result<void> Responder::recall_certificates() {
  const bool follows = at_.transaction && !opens_transaction(body());
  const auto kind = protection_kind(at_.request.message);
  const bool by_certificate = kind == ProtectionKind::signature ||
                              kind == ProtectionKind::dh_based_mac ||
                              kind == ProtectionKind::kem_based_mac;
  if (!follows || !by_certificate || !at_.request.message.extraCerts.empty()) return {};
  ASSIGN_OR_RETURN(const auto first, at_.table().first_message(at_.transaction->id));
  if (!first) return {};
  ASSIGN_OR_RETURN(const auto request, request_in(*first, at_.shared.sealing_key));
  auto message = decode(request, at_.request.channel->limits);
  if (message) at_.request.earlier_certs = std::move(message->extraCerts);
  return {};
}

// kept when believed, never answered.
Outcome<void> Responder::hear() {
  ASSIGN_OR_RETURN(auto received, receive_announcement(at_.request, arrival_.der, *at_.ledger));
  ignored_ = received.body + " of " + received.sender + " is kept";
  at_.decision.effects.audit.push_back(
      answered_entry(at_.request, received.sender, "", *ignored_, at_.decision.effects));
  at_.decision.effects.announcement = std::move(received);
  return {};
}

//
Outcome<void> Responder::give_ciphertext() {
  if (at_.transaction) {
    return reject(PKIFailureInfo::transactionIdInUse, "the transactionID has been used before");
  }
  ASSIGN_OR_RETURN(auto given, give_kem_ciphertext(at_.request, at_.services()));
  given_ = std::move(given);
  return {};
}

// who guesses a secret is stopped after some guesses.
Result<void> Responder::count_failure(const Trouble& trouble) {
  const auto* rejection = trouble.rejection();
  if (rejection == nullptr || rejection->failInfo != PKIFailureInfo::badMessageCheck) return {};
  ASSIGN_OR_RETURN(secret_failure_, failure_to_count(at_.request, at_.services()));
  return {};
}

// the same octets on the same channel get the stored answer; they were verified when they
// came first. A request that waited in silence has its answer in the final response.
Result<std::optional<StoredMessage>> Responder::find_duplicate() {
  if (!at_.transaction || channel().strict) return std::nullopt;
  ASSIGN_OR_RETURN(auto stored, at_.table().message(at_.transaction->id, at_.request.digest));
  if (!stored || stored->channel != channel().name) return std::nullopt;
  if (stored->reply_body.empty() && at_.waiting && !at_.waiting->pushed.empty()) {
    stored->reply_body = at_.waiting->pushed_body;
    stored->reply = at_.waiting->pushed;
  }
  return stored;
}

// badDataFormat when somebody can be answered, else it is kept for an operator.
void Responder::note_unreadable(const DecodeFault& fault) {
  if (asks_for_nothing(arrival_.der))
    return ignore_response("that cannot be read: " + fault.text());
  if (!fault.header || !fault.header->transactionID || !fault.header->senderNonce) {
    kept_ = "not a PKIMessage: " + fault.text();
    return;
  }
  readable_ = true;
  at_.request.message.header = *fault.header;
  at_.request.message.header.protectionAlg.reset();
  at_.request.message.body = body::error{};
  at_.decision.tid = to_hex(*fault.header->transactionID);
  const bool wrong_version = fault.header->pvno != kCmp2000 && fault.header->pvno != kCmp2021;
  fault_ = {wrong_version ? PKIFailureInfo::unsupportedVersion : PKIFailureInfo::badDataFormat,
            "the message cannot be read: " + fault.text()};
}

Result<Decision> Responder::answer(LedgerReader& ledger) {
  at_.ledger = &ledger;
  note_digest();
  if (kept_ && in_batch()) return refuse({PKIFailureInfo::badDataFormat, *kept_});
  if (kept_) {
    note_refusal(std::nullopt, *kept_, {});
    return at_.keep_for_operator(*kept_);
  }
  if (fault_) return refuse_or_ignore(*fault_);
  if (resend_) return resent();
  if (ignored_) return finish(Ignore{*ignored_});
  const auto taken = take_header_passphrase();
  if (!taken && taken.error().rejection() == nullptr) return failure(*taken.error().error());
  if (!taken) return refuse_or_ignore(*taken.error().rejection());
  auto next = work();
  if (next) return finish(std::move(*next));
  if (const auto* rejection = next.error().rejection()) return refuse_or_ignore(*rejection);
  return failure(*next.error().error());
}

// Nobody waits for an answer to an error message that ends nothing, and two peers must not argue
// for ever.
Result<Decision> Responder::refuse_or_ignore(const Rejection& rejection) {
  if (!expects_nothing_ || in_batch()) return refuse(rejection);
  return finish(Ignore{"nothing that an answer is expected to: " + rejection.text});
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

Outcome<Responder::Next> Responder::work() {
  if (given_) return *std::move(given_);
  if (opens_transaction(body())) return open();
  return go_on();
}

Outcome<Responder::Next> Responder::open() {
  TRY(check_may_open(*at_.requester, body()));
  stage_ = Milestone::body;
  opening_ = true;
  auto services = at_.services();
  ASSIGN_OR_RETURN(auto answer, at_.shared.role.open(at_.request, *at_.requester, services));
  return answer;
}

// a follow-up fits a transaction that has not ended and comes
// from the one who opened it. None of these refusals touches the transaction.
Outcome<Responder::Next> Responder::go_on() {
  const bool polls = std::holds_alternative<body::pollReq>(body());
  stage_ = Milestone::transaction;
  if (!at_.transaction && may_be_early()) return early("it follows a message that has not come");
  const bool has_ended = !at_.transaction || at_.transaction->state == TransactionState::closed;
  // Also what has ended is delivered again.
  if (polls ? !at_.waiting : has_ended) return no_transaction();
  TRY(check_credential());
  TRY(check_right(at_.requester->rights, wanted::Message{body()}));
  TRY(check_recip_nonce());
  stage_ = Milestone::body;
  if (polls) return poll();
  if (std::holds_alternative<body::certConf>(body())) {
    if (!at_.transaction->awaits_confirm()) return no_transaction();
    return confirm();
  }
  if (std::holds_alternative<body::popdecr>(body())) return take_response();
  if (std::holds_alternative<body::error>(body())) {
    auto services = at_.services();
    ASSIGN_OR_RETURN(auto answer, at_.shared.role.give_up(at_.request, *at_.requester,
                                                          *at_.transaction, services));
    continuing_ = true;
    given_up_ = true;
    return answer;
  }
  return reject(
      PKIFailureInfo::badRequest,
      "a message with the body " + std::string(body_name(body())) + " is not expected now");
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
  return relayable && !channel().strict && at_.requester->is_ra() && at_.requester->signs() &&
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
Outcome<Responder::Next> Responder::take_response() {
  if (at_.transaction->state != TransactionState::challenged) return no_transaction();
  ASSIGN_OR_RETURN(const auto parked, parked_request());
  TRY(check_may_open(*at_.requester, parked.message.body));
  if (parked.message.header.pvno != request_header().pvno) {
    return reject(PKIFailureInfo::badRequest, "popdecr has another pvno than the request");
  }
  auto services = at_.services();
  ASSIGN_OR_RETURN(auto answer, at_.shared.role.open(parked, *at_.requester, services));
  continuing_ = true;
  return answer;
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
  parked.now = at_.request.now;
  parked.sure = at_.request.sure;
  parked.likely = at_.request.likely;
  parked.transaction = at_.transaction->id;
  parked.challenges_met =
      challenges_met(challenged_keys(parked), *given, std::get<body::popdecr>(body()));
  return parked;
}

Outcome<Responder::Next> Responder::poll() {
  const auto check_after = at_.request.channel->check_after(at_.request.now);
  const auto& requests = std::get<body::pollReq>(body()).requests;
  ASSIGN_OR_RETURN(auto answer, answer_poll(requests, *at_.waiting, check_after));
  if (carries_private_key(answer.body)) TRY(check_may_leave(at_.request));
  const bool patient = arrival_.turn == Turn::first && !in_batch();
  if (answer.soon && patient) return early("what it asks for is being worked on");
  return answer;
}

Outcome<Responder::Next> Responder::confirm() {
  auto about = *at_.transaction;
  std::erase_if(about.certificates, &TransactionCertificate::settled);
  auto services = at_.services();
  ASSIGN_OR_RETURN(auto answer,
                   at_.shared.role.confirm(at_.request, *at_.requester, about, services));
  continuing_ = true;
  return answer;
}

}  // namespace cmpost
