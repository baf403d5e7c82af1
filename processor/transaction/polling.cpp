#include "processor/transaction/polling.h"

#include <algorithm>

namespace cmpost {
namespace {

using Parts = std::vector<const WaitingPart*>;

bool has_answer(const WaitingPart* part) {
  return part->state == PartState::ready || part->state == PartState::delivered;
}
bool is_new(const WaitingPart* part) { return part->state == PartState::ready; }

Parts all_parts(const Waiting& waiting) {
  Parts parts;
  for (const auto& part : waiting.parts) parts.push_back(&part);
  return parts;
}

// The parts that are asked for. A request that is one whole (p10cr, rr, ...) may be called -1, or 0
// as the only CertResponse of its answer.
Checked<Parts> asked_parts(const std::vector<PollReq>& requests, const Waiting& waiting) {
  Parts parts;
  const bool undivided = waiting.parts.size() == 1 && waiting.part(kWholeMessage) != nullptr;
  for (const auto& request : requests) {
    const auto* part =
        waiting.part(undivided && request.certReqId == 0 ? kWholeMessage : request.certReqId);
    if (part == nullptr) {
      return reject(PKIFailureInfo::badRequest,
                    "nothing waits under certReqId " + std::to_string(request.certReqId));
    }
    // Each mention would be one more certificate in the answer.
    if (std::ranges::find(parts, part) != parts.end()) {
      return reject(PKIFailureInfo::badRequest,
                    "pollReq names certReqId " + std::to_string(request.certReqId) + " twice");
    }
    parts.push_back(part);
  }
  return parts;
}

PollAnswer come_back(const std::vector<PollReq>& requests, std::chrono::seconds check_after,
                     bool soon) {
  body::pollRep body;
  for (const auto& request : requests) {
    body.responses.push_back({request.certReqId, check_after.count(), {}});
  }
  return {std::move(body), {}, soon};
}

PollAnswer deliver(const Parts& parts, const Waiting& waiting) {
  PollAnswer answer{merged(parts), {}, false};
  for (const auto* part : parts) answer.delivers.push_back(part->certReqId);
  auto* response = const_cast<CertRepMessage*>(cert_response(answer.body));
  if (response == nullptr) return answer;
  for (const auto& part : waiting.parts) {
    if (!has_answer(&part)) response->response.push_back(waiting_response(part.certReqId));
  }
  return answer;
}

}  // namespace

Checked<PollAnswer> answer_poll(const std::vector<PollReq>& requests, const Waiting& waiting,
                                std::chrono::seconds check_after) {
  const bool whole = requests.size() == 1 && requests.front().certReqId == kWholeMessage;
  if (requests.empty()) return reject(PKIFailureInfo::badRequest, "pollReq asks for nothing");
  Parts asked = all_parts(waiting);
  if (!whole) {
    ASSIGN_OR_RETURN(asked, asked_parts(requests, waiting));
  }
  Parts ready, fresh;
  std::ranges::copy_if(asked, std::back_inserter(ready), has_answer);
  const bool enough = whole ? ready.size() == asked.size() : !ready.empty();
  if (!enough) return come_back(requests, check_after, waiting.needs_work());
  std::ranges::copy_if(ready, std::back_inserter(fresh), is_new);
  return deliver(fresh.empty() ? ready : fresh, waiting);
}

}  // namespace cmpost
