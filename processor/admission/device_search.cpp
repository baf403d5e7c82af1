#include "processor/admission/device_search.h"

namespace cmpost {
namespace {

std::vector<SoughtDevice> sought_by(const Requester& requester) {
  if (const auto* holder = requester.secret()) {
    if (holder->revokes) return {};
    return {SoughtDevice{holder->secret.reference, {}, {}, {}}};
  }
  return requester.certificate()->sought;
}

// By the numbers of the requests; empty: they are not numbered as they should be, or it asks for
// something else, and whoever works on it says so.
std::vector<std::int64_t> parts_of(const Request& request) {
  const auto& body = request.message.body;
  if (std::holds_alternative<body::p10cr>(body)) {
    return {request.channel->settings.quirks.p10cr_zero ? 0 : kWholeMessage};
  }
  if (!std::holds_alternative<body::ir>(body) && !std::holds_alternative<body::cr>(body)) return {};
  std::vector<std::int64_t> ids;
  for (const auto& one : *cert_requests(body)) {
    if (one.certReq.certReqId != static_cast<std::int64_t>(ids.size())) return {};
    ids.push_back(one.certReq.certReqId);
  }
  return ids;
}

std::string subject_wanted(const PKIBody& body, std::int64_t certReqId) {
  if (const auto* p10cr = std::get_if<body::p10cr>(&body)) return p10cr->request.subject.text();
  const auto& wanted =
      (*cert_requests(body))[static_cast<std::size_t>(certReqId)].certReq.certTemplate.subject;
  return wanted ? wanted->text() : std::string();
}

PKIBody waiting_body(const PKIBody& body, const std::vector<WaitingPart>& parts) {
  CertRepMessage content;
  for (const auto& part : parts) content.response.push_back(waiting_response(part.certReqId));
  if (std::holds_alternative<body::ir>(body)) return body::ip{std::move(content)};
  return body::cp{std::move(content)};
}

WaitingPart part_without_row(const Request& request, const Requester& requester,
                             std::int64_t certReqId) {
  auto object = begin_object(request, requester);
  for (const auto& one : requester.unlisted) object.add("not listed", in_words(one));
  WaitingPart part;
  part.certReqId = certReqId;
  part.state = PartState::unlisted;
  part.subject = subject_wanted(request.message.body, certReqId);
  part.object = encode_consent_object(object);
  return part;
}

}  // namespace

Result<void> find_device(Requester& requester, const Request& request, const Services& services) {
  KnownDevices devices(services.ledger.connection());
  const auto* holder = requester.certificate();
  if (holder != nullptr && holder->role == CertificateHolder::Role::end_entity) {
    if (!holder->record) return {};
    ASSIGN_OR_RETURN(requester.device,
                     devices.holder(holder->record->serial, holder->certificate.subject()));
    return {};
  }
  auto sought = sought_by(requester);
  for (const auto& one : sought) {
    ASSIGN_OR_RETURN(auto found, devices.find(one, request.transaction));
    if (!found || (requester.device && !found->row.retired)) continue;
    requester.device = std::move(found);
  }
  if (requester.device) return {};
  if (request.channel->settings.listed_devices) requester.unlisted = std::move(sought);
  return {};
}

Outcome<std::optional<Answer>> hold_unlisted(const Request& request, const Requester& requester) {
  if (!requester.rights.unlisted) return std::nullopt;
  Answer answer;
  for (const auto certReqId : parts_of(request)) {
    const auto* before = request.waited == nullptr ? nullptr : request.waited->part(certReqId);
    if (request.waited != nullptr) {
      const auto consent = consent_for(request, certReqId);
      if (consent.rejection) return failure(*consent.rejection);
      if (before == nullptr || consent.what == Consent::What::settled) continue;
    }
    answer.undecided.push_back(part_without_row(request, requester, certReqId));
  }
  if (answer.undecided.empty()) return std::nullopt;
  answer.body = waiting_body(request.message.body, answer.undecided);
  answer.effects.sought = requester.unlisted;
  answer.outcome = "waits for its row in the list of devices: " + in_words(requester.unlisted[0]);
  return answer;
}

}  // namespace cmpost
