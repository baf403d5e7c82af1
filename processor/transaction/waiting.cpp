#include "processor/transaction/waiting.h"

#include <algorithm>

namespace cmpost {
namespace {

constexpr std::size_t kKeptNonces = 16;
constexpr std::string_view kResume = "resume";  // the body of a job that no Ingress makes

CertRepMessage* mutable_response(PKIBody& body) {
  return const_cast<CertRepMessage*>(cert_response(body));
}

}  // namespace

std::string_view to_string(PartState state) {
  switch (state) {
    case PartState::undecided:
      return "undecided";
    case PartState::unlisted:
      return "unlisted";
    case PartState::listed:
      return "listed";
    case PartState::held:
      return "held";
    case PartState::agreed:
      return "agreed";
    case PartState::upstream:
      return "upstream";
    case PartState::approved:
      return "approved";
    case PartState::rejected:
      return "rejected";
    case PartState::ready:
      return "ready";
    default:
      return "delivered";
  }
}

std::optional<PartState> part_state(std::string_view text) {
  for (const auto state :
       {PartState::undecided, PartState::unlisted, PartState::listed, PartState::held,
        PartState::agreed, PartState::upstream, PartState::approved, PartState::rejected,
        PartState::ready, PartState::delivered}) {
    if (to_string(state) == text) return state;
  }
  return std::nullopt;
}

std::optional<Sha256> WaitingPart::digest() const {
  if (object.empty()) return std::nullopt;
  return sha256(object);
}

bool Waiting::all_decided() const {
  return std::ranges::all_of(parts, [](const auto& part) {
    return part.state == PartState::ready || part.state == PartState::delivered;
  });
}

bool Waiting::all_delivered() const {
  return std::ranges::all_of(parts,
                             [](const auto& part) { return part.state == PartState::delivered; });
}

bool Waiting::is_upstream() const {
  return std::ranges::any_of(parts,
                             [](const auto& part) { return part.state == PartState::upstream; });
}

bool Waiting::is_unlisted() const {
  return std::ranges::any_of(parts,
                             [](const auto& part) { return part.state == PartState::unlisted; });
}

bool Waiting::needs_work() const {
  return std::ranges::any_of(parts, [](const auto& part) {
    return part.state == PartState::approved || part.state == PartState::rejected ||
           part.state == PartState::listed;
  });
}

WaitingPart* Waiting::part(std::int64_t certReqId) {
  const auto found = std::ranges::find(parts, certReqId, &WaitingPart::certReqId);
  return found == parts.end() ? nullptr : &*found;
}
const WaitingPart* Waiting::part(std::int64_t certReqId) const {
  const auto found = std::ranges::find(parts, certReqId, &WaitingPart::certReqId);
  return found == parts.end() ? nullptr : &*found;
}

void Waiting::note_nonce(const Bytes& nonce) {
  our_nonces.push_back(nonce);
  if (our_nonces.size() > kKeptNonces) our_nonces.erase(our_nonces.begin());
}

bool Waiting::knows_nonce(const Bytes& nonce) const {
  return std::ranges::find(our_nonces, nonce) != our_nonces.end();
}

void note_delivered(WaitingPart& part, Transaction& transaction) {
  part.state = PartState::delivered;
  for (auto& one : transaction.certificates) {
    const bool its = part.certReqId == kWholeMessage || one.certReqId == part.certReqId;
    if (its && one.delivery == IssueState::ready) one.delivery = IssueState::delivered;
  }
}

PKIBody merged(const std::vector<const WaitingPart*>& parts) {
  auto body = parts.front()->answer;
  auto* all = mutable_response(body);
  if (all == nullptr) return body;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const auto* more = cert_response(parts[i]->answer);
    // Something went wrong with the whole: that is the answer.
    if (more == nullptr) return parts[i]->answer;
    all->response.insert(all->response.end(), more->response.begin(), more->response.end());
    if (!all->caPubs) all->caPubs = more->caPubs;
  }
  return body;
}

PKIBody part_of(const PKIBody& body, std::int64_t certReqId) {
  auto part = body;
  if (auto* response = mutable_response(part)) {
    std::erase_if(response->response,
                  [&](const CertResponse& one) { return one.certReqId != certReqId; });
  }
  return part;
}

PKIBody as_sibling_of(const PKIBody& sibling, const body::error& error, std::int64_t certReqId) {
  auto part = sibling;
  auto* response = mutable_response(part);
  if (response == nullptr) return error;
  response->caPubs.reset();
  response->response = {{certReqId, error.content.pKIStatusInfo, std::nullopt, std::nullopt}};
  return part;
}

CertResponse waiting_response(std::int64_t certReqId) {
  PKIStatusInfo status;
  status.status = PKIStatus::waiting;
  status.statusString = std::vector<std::string>{"the request is not decided yet"};
  return {certReqId, std::move(status), std::nullopt, std::nullopt};
}

PKIBody waiting_krp() {
  KeyRecRepContent content;
  content.status = waiting_response(0).status;
  return body::krp{std::move(content)};
}

PKIBody waiting_error() {
  return body::error{{waiting_response(kWholeMessage).status, std::nullopt, {}}};
}

Job resume_job(const Bytes& transactionID, const Waiting& waiting, std::string_view why) {
  const auto version = std::to_string(waiting.version);
  Job job;
  job.id = make_job_id({view_of(kResume), transactionID, view_of(version), view_of(why)});
  job.payload = to_bytes(why);
  job.envelope = waiting.envelope;
  job.envelope.body = kResume;
  job.envelope.tid = to_hex(transactionID);
  return job;
}

bool is_resume_job(const Job& job) { return job.envelope.body == kResume; }

}  // namespace cmpost
