#include "processor/dialogue/responder.h"

#include <algorithm>
#include <utility>

#include "cmp/direction.h"
#include "processor/admission/announcement.h"
#include "processor/admission/asked_certificate.h"
#include "processor/admission/authentication.h"
#include "processor/admission/header_rules.h"
#include "processor/admission/kem_ciphertext.h"
#include "processor/admission/kem_protection.h"
#include "processor/admission/message_audit.h"
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

// With another name and another key.
bool differs(const Name& subject, ByteView spki, const Certificate& ra) {
  return !subject.is_null_dn() && !subject.same(ra.subject()) && !equal(spki, ra.spki());
}

Result<bool> is_of_another(const RevDetails& details, const Certificate& ra, LedgerReader& ledger) {
  const auto& serial = details.certDetails.serialNumber;
  if (!serial) return false;
  ASSIGN_OR_RETURN(const auto record, ledger.find(*serial));
  if (!record) return false;
  ASSIGN_OR_RETURN(const auto target, Certificate::from_der(record->der));
  return differs(target.subject(), target.spki(), ra);
}

Result<bool> is_for_another(const CertReqMessages& messages, const Certificate& ra) {
  return std::ranges::all_of(messages, [&](const CertReqMsg& message) {
    const auto& wanted = message.certReq.certTemplate;
    return wanted.subject && wanted.publicKey &&
           differs(*wanted.subject, wanted.publicKey->der, ra);
  });
}

// Whether a request that an RA has protected is certainly for somebody else. Where subject or key
// stand in it only later, that is not known.
Result<bool> is_for_another(const PKIBody& body, const Certificate& ra, LedgerReader& ledger) {
  if (const auto* p10cr = std::get_if<body::p10cr>(&body)) {
    return differs(p10cr->request.subject, p10cr->request.spki.der, ra);
  }
  if (const auto* revocation = std::get_if<body::rr>(&body)) {
    for (const auto& details : revocation->details) {
      ASSIGN_OR_RETURN(const bool another, is_of_another(details, ra, ledger));
      if (!another) return false;
    }
    return true;
  }
  const auto* requests = cert_requests(body);
  if (requests == nullptr || std::holds_alternative<body::kur>(body)) return false;
  return is_for_another(*requests, ra);
}

}  // namespace

Responder::Responder(Arrival arrival, const ProcessorServices& services)
    : arrival_(std::move(arrival)), at_(arrival_.job, arrival_.envelope, services) {
  at_.in_batch = in_batch();
}

void Responder::read() { finding_ = read_form(); }

Finding Responder::read_form() {
  const auto& name = arrival_.envelope.channel;
  at_.request.channel = at_.find_channel(name);
  if (at_.request.channel == nullptr) {
    return finding::Unroutable{"the channel " + name + " is not configured any more"};
  }
  stage_ = Milestone::encoding;
  auto message = decode(arrival_.der, at_.request.channel->limits);
  if (!message) return unreadable(message.error());
  readable_ = true;
  at_.request.message = std::move(*message);
  at_.request.peer = arrival_.envelope.reply.address;
  at_.request.source = arrival_.envelope.source;
  const auto& tid = request_header().transactionID;
  if (tid) at_.decision.tid = to_hex(*tid);
  const auto direction = direction_of(body());
  if (direction == MessageDirection::response) return response(body_name(body()));
  stage_ = Milestone::header;
  const bool nested = std::holds_alternative<body::nested>(body());
  expects_nothing_ =
      direction == MessageDirection::error || (nested && asks_for_nothing(arrival_.der));
  return finding::Asked{};
}

// We ask nobody, so a response belongs to no transaction of ours: it came back, or went astray. An
// answer to it would be one more response that goes astray, without end.
Finding Responder::response(std::string_view what) const {
  auto why = "a response, " + std::string(what) + ", to something that was not asked here";
  if (in_batch()) return finding::Faulty{{PKIFailureInfo::badRequest, std::move(why)}};
  return finding::Unanswered{std::move(why)};
}

// Of a large batch this takes as long as a thousand signatures, so it is not part of read().
void Responder::note_digest() {
  if (!std::exchange(digested_, true)) at_.request.digest = sha256(arrival_.der);
}

Result<void> Responder::check(LedgerReader& ledger) {
  if (!std::holds_alternative<finding::Asked>(finding_)) return {};
  at_.ledger = &ledger;
  note_digest();
  ASSIGN_OR_RETURN(auto found, apart(identify()));
  if (found) {
    finding_ = std::move(*found);
  } else if (is_announcement(body()) && !in_batch()) {
    // Whoever announces something waits for no answer, not even for an error.
    finding_ = finding::Unanswered{"an announcement that is not believed: " + found.error().text};
  } else {
    finding_ = finding::Faulty{std::move(found).error()};
  }
  return {};
}

const PKIHeader* Responder::header() const { return readable_ ? &request_header() : nullptr; }

const Rejection* Responder::fault() const {
  const auto* faulty = std::get_if<finding::Faulty>(&finding_);
  return faulty == nullptr ? nullptr : &faulty->rejection;
}

bool Responder::is_settled() const {
  return std::holds_alternative<finding::Repeated>(finding_) ||
         std::holds_alternative<finding::Unanswered>(finding_) ||
         std::holds_alternative<finding::Unroutable>(finding_);
}

bool Responder::is_of_use() const {
  if (fault() != nullptr) return false;
  if (is_announcement(body())) return std::holds_alternative<finding::Unanswered>(finding_);
  return at_.transaction && at_.transaction->state != TransactionState::closed;
}

void Responder::note_endorsement(const Requester& by) {
  using enum RaApproval;
  if (channel().waiting.ra_approval == none || !at_.requester) return;
  if (!is_same_party(by, *at_.requester)) at_.request.endorsed_by = by.text();
}

// RFC 9483 5.2.3: whoever puts its own protection in place of another's approves, too.
Result<void> Responder::note_reprotection(Request& request) {
  const auto& requester = *at_.requester;
  if (channel().waiting.ra_approval != RaApproval::any || !stands_for_others(requester)) return {};
  ASSIGN_OR_RETURN(
      const bool another,
      is_for_another(request.message.body, requester.certificate()->certificate, *at_.ledger));
  if (another) request.endorsed_by = requester.text();
  return {};
}

void Responder::refuse_with(Rejection rejection) {
  if (std::holds_alternative<finding::Unroutable>(finding_)) return;  // there is nobody to tell
  finding_ = finding::Faulty{std::move(rejection)};
}

// While the clock is in doubt either time will do.
Checked<HeaderWishes> Responder::checked_header() const {
  const auto& request = at_.request;
  auto wishes = check_header(request.message, *request.channel, request.now);
  if (wishes || request.likely == request.now) return wishes;
  return check_header(request.message, *request.channel, request.likely);
}

Outcome<Finding> Responder::identify() {
  const auto& tid = request_header().transactionID;
  if (tid && !tid->empty()) {
    TRY(at_.find_transaction(*tid));
    if (at_.transaction) at_.request.opened_by = at_.transaction->credential;
    ASSIGN_OR_RETURN(auto before, find_duplicate());
    if (before) return finding::Repeated{*std::move(before)};
  }
  ASSIGN_OR_RETURN(at_.request.wishes, checked_header());
  stage_ = Milestone::sender;
  if (is_announcement(body())) return hear();
  TRY(recall_certificates());
  if (asks_for_kem_ciphertext(at_.request)) return give_ciphertext();
  TRY(believe());
  return finding::Asked{};
}

Outcome<void> Responder::believe() {
  auto requester = authenticate(at_.request, at_.services());
  if (!requester) {
    TRY(count_failure(requester.error()));
    return failure(std::move(requester).error());
  }
  at_.requester = std::move(*requester);
  mean_only_profile(at_.request, *at_.requester);
  TRY(note_reprotection(at_.request));
  // An added protection has the transactionID of what it protects.
  const bool opens = opens_transaction(body()) && !std::holds_alternative<body::nested>(body());
  stage_ = Milestone::credential;
  if (!at_.transaction || !opens) return {};
  stage_ = Milestone::transaction;
  return reject(PKIFailureInfo::transactionIdInUse, "the transactionID has been used before");
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
Outcome<Finding> Responder::hear() {
  ASSIGN_OR_RETURN(auto received, receive_announcement(at_.request, arrival_.der, *at_.ledger));
  auto why = received.body + " of " + received.sender + " is kept";
  at_.decision.effects.audit.push_back(
      answered_entry(at_.request, received.sender, "", why, at_.decision.effects));
  at_.decision.effects.announcement = std::move(received);
  return finding::Unanswered{std::move(why)};
}

//
Outcome<Finding> Responder::give_ciphertext() {
  if (at_.transaction) {
    return reject(PKIFailureInfo::transactionIdInUse, "the transactionID has been used before");
  }
  ASSIGN_OR_RETURN(auto answer, give_kem_ciphertext(at_.request, at_.services()));
  return finding::Given{std::move(answer)};
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
  if (!at_.transaction) return std::nullopt;
  ASSIGN_OR_RETURN(auto stored, at_.table().message(at_.transaction->id, at_.request.digest));
  if (!stored || stored->channel != channel().name) return std::nullopt;
  // A strict channel answers no message twice, but a job that was worked on before the process died
  // has not been answered.
  const bool same_job = equal(stored->job, ByteView(arrival_.job.octets));
  if (channel().strict && !same_job) return std::nullopt;
  // Not one that follows and whose answer a CA above owes.
  const bool waited = opens_transaction(body()) || std::holds_alternative<body::popdecr>(body());
  if (waited && stored->reply_body.empty() && at_.waiting && !at_.waiting->pushed.empty()) {
    stored->reply_body = at_.waiting->pushed_body;
    stored->reply = at_.waiting->pushed;
  }
  return stored;
}

// badDataFormat when somebody can be answered, else it is kept for an operator.
Finding Responder::unreadable(const DecodeFault& fault) {
  if (asks_for_nothing(arrival_.der)) return response("that cannot be read: " + fault.text());
  if (!fault.header || !fault.header->transactionID || !fault.header->senderNonce) {
    return finding::Unroutable{"not a PKIMessage: " + fault.text()};
  }
  readable_ = true;
  at_.request.message.header = *fault.header;
  at_.request.message.header.protectionAlg.reset();
  at_.request.message.body = body::error{};
  at_.decision.tid = to_hex(*fault.header->transactionID);
  const bool wrong_version = fault.header->pvno != kCmp2000 && fault.header->pvno != kCmp2021;
  return finding::Faulty{
      {wrong_version ? PKIFailureInfo::unsupportedVersion : PKIFailureInfo::badDataFormat,
       "the message cannot be read: " + fault.text()}};
}

}  // namespace cmpost
