#include "processor/ra_role/heard_parts.h"

#include <algorithm>
#include <set>

#include "processor/ra_role/heard_answer.h"

namespace cmpost {
namespace {

std::size_t parts_of(const PKIBody& question) {
  const auto* requests = cert_requests(question);
  return requests == nullptr ? 1 : requests->size();
}

// p10cr is -1, and 0 for some.
std::int64_t part_named(std::int64_t certReqId, const PKIBody& question) {
  return std::holds_alternative<body::p10cr>(question) && certReqId == 0 ? kWholeMessage
                                                                         : certReqId;
}

bool is_about(std::int64_t part, const PKIBody& question) {
  const auto* requests = cert_requests(question);
  if (requests == nullptr) return part == kWholeMessage;
  return std::ranges::any_of(*requests,
                             [&](const CertReqMsg& one) { return one.certReq.certReqId == part; });
}

std::string named(std::int64_t part) { return "certReqId " + std::to_string(part); }

// Encrypted anew, it is another text each time.
bool is_same(const CertResponse& one, const CertResponse& other) {
  const auto *first = certificate_in(one), *second = certificate_in(other);
  if (first != nullptr && second != nullptr) return first->der == second->der;
  return one.certifiedKeyPair.has_value() == other.certifiedKeyPair.has_value() &&
         first == second && one.status.status == other.status.status;
}

Checked<void> check_once_more(const CertResponse& response, const WaitingPart& part) {
  const auto* before = cert_response(part.answer);
  const bool same = before == nullptr || before->response.empty() ||
                    response.status.status == PKIStatus::waiting ||
                    is_same(before->response.front(), response);
  if (same) return {};
  return unfit("it is about " + named(part.certReqId) + " once more, and not what it was before");
}

}  // namespace

Checked<void> check_parts(const CertRepMessage& content, const UpstreamMessage& asked,
                          const PKIBody& question) {
  const bool first = asked.body != "pollReq" && asked.state != UpstreamState::waits;
  const auto said = content.response.size(), wanted = parts_of(question);
  if (said == 0 || (first && said != wanted)) {
    return unfit("it has " + std::to_string(said) + " responses to " + std::to_string(wanted) +
                 " requests");
  }
  std::set<std::int64_t> parts;
  for (const auto& response : content.response) {
    const auto part = part_named(response.certReqId, question);
    if (!parts.insert(part).second) return unfit("it is about " + named(part) + " twice");
    if (!is_about(part, question)) return unfit("it is about " + named(part));
  }
  return {};
}

Checked<HeardParts> sort_parts(const UpstreamMessage& asked, const Request& question,
                               const PKIBody& answer) {
  const auto& body = question.message.body;
  TRY(check_parts(*cert_response(answer), asked, body));
  HeardParts heard{answer, false, {}};
  if (question.waited != nullptr) {
    std::ranges::copy_if(question.waited->parts, std::back_inserter(heard.rest),
                         [](const auto& part) { return part.state == PartState::upstream; });
  }
  auto& decided = const_cast<CertRepMessage*>(cert_response(heard.body))->response;
  decided.clear();
  bool about_rest = false;
  for (auto response : cert_response(answer)->response) {
    response.certReqId = part_named(response.certReqId, body);
    const auto open = std::ranges::find(heard.rest, response.certReqId, &WaitingPart::certReqId);
    if (open == heard.rest.end()) {
      const auto* part =
          question.waited == nullptr ? nullptr : question.waited->part(response.certReqId);
      if (part != nullptr) TRY(check_once_more(response, *part));
      continue;
    }
    about_rest = true;
    if (response.status.status == PKIStatus::waiting) continue;
    heard.rest.erase(open);
    decided.push_back(std::move(response));
  }
  heard.decides = !decided.empty();
  // A requester may poll for what it has had.
  const bool asked_by_requester = asked.question && asked.body == "pollReq";
  if (about_rest || asked_by_requester) return heard;
  return unfit("it says nothing about what is open");
}

}  // namespace cmpost
