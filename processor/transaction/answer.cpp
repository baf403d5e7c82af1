#include "processor/transaction/answer.h"

#include <algorithm>

#include "base/joined.h"

namespace cmpost {
namespace {

bool is_changed(const PKIBody& body) {
  const auto* response = cert_response(body);
  return response != nullptr && std::ranges::any_of(response->response, [](const auto& one) {
           return one.status.status == PKIStatus::grantedWithMods;
         });
}

std::string first_bit(const PKIStatusInfo& status) {
  for (int bit = 0; bit < kFailureInfoCount; ++bit) {
    const auto info = static_cast<PKIFailureInfo>(bit);
    if (status.has(info)) return std::string(to_string(info));
  }
  return {};
}

}  // namespace

std::string outcome_of(const Answer& answer) {
  if (!answer.refused) return answer.outcome;
  const auto& [failInfo, text] = *answer.refused;
  return (answer.partly ? "partly rejection " : "rejection ") + std::string(to_string(failInfo)) +
         ": " + text;
}

std::string outcome_of(const std::vector<WaitingPart>& parts) {
  std::optional<PKIStatusInfo> refused;
  bool granted = false;
  for (const auto& part : parts) {
    auto status = status_about(part.answer, part.certReqId);
    if (!status) {
      return "unknown: the answer says nothing of request " + std::to_string(part.certReqId);
    }
    if (is_granted(*status)) {
      granted = true;
    } else if (!refused || !status->statusString.empty()) {  // most of many only have the bit
      refused = std::move(status);
    }
  }
  if (!refused) return "accepted";
  return (granted ? "partly rejection " : "rejection ") + words_of(*refused);
}

MessageResult result_of(const Answer& answer) {
  if (answer.refused) return answer.partly ? MessageResult::partly : MessageResult::refused;
  if (!answer.undecided.empty() || answer.passed_up || answer.challenges) {
    return MessageResult::waiting;
  }
  return is_changed(answer.body) ? MessageResult::changed : MessageResult::granted;
}

MessageResult result_of(const std::vector<WaitingPart>& parts) {
  bool granted = false, refused = false, changed = false;
  for (const auto& part : parts) {
    const auto status = status_about(part.answer, part.certReqId);
    const bool is_good = status && is_granted(*status);
    (is_good ? granted : refused) = true;
    changed = changed || is_changed(part.answer);
  }
  if (refused) return granted ? MessageResult::partly : MessageResult::refused;
  return changed ? MessageResult::changed : MessageResult::granted;
}

std::string failInfo_of(const Answer& answer) {
  return answer.refused ? std::string(to_string(answer.refused->failInfo)) : std::string();
}

std::string failInfo_of(const std::vector<WaitingPart>& parts) {
  std::string bit;
  for (const auto& part : parts) {
    const auto status = status_about(part.answer, part.certReqId);
    if (status && !is_granted(*status)) bit = first_bit(*status);
  }
  return bit;
}

Answer refusal(const Rejection& rejection) {
  Answer answer;
  answer.body = error_body(rejection);
  answer.refuse(rejection);
  return answer;
}

PKIBody error_body(const Rejection& rejection) {
  return body::error{{status_info(rejection), std::nullopt, {}}};
}

std::optional<PKIStatusInfo> status_about(const PKIBody& body, std::int64_t certReqId) {
  if (const auto* error = std::get_if<body::error>(&body)) return error->content.pKIStatusInfo;
  if (const auto* krp = std::get_if<body::krp>(&body)) return krp->content.status;
  if (const auto* rp = std::get_if<body::rp>(&body)) {
    const auto& all = rp->content.status;
    if (all.empty()) return std::nullopt;
    const auto refused = std::ranges::find_if_not(all, is_granted);
    return refused == all.end() ? all.front() : *refused;
  }
  const auto* response = cert_response(body);
  if (response == nullptr) return std::nullopt;
  const auto found = std::ranges::find(response->response, certReqId, &CertResponse::certReqId);
  if (found == response->response.end()) return std::nullopt;
  return found->status;
}

bool is_granted(const PKIStatusInfo& status) {
  return status.status == PKIStatus::accepted || status.status == PKIStatus::grantedWithMods ||
         status.status == PKIStatus::keyUpdateWarning;
}

std::string words_of(const PKIStatusInfo& status) {
  std::string bits;
  for (int bit = 0; bit < kFailureInfoCount; ++bit) {
    const auto info = static_cast<PKIFailureInfo>(bit);
    if (status.has(info)) bits += (bits.empty() ? "" : " ") + std::string(to_string(info));
  }
  const auto text = joined(status.statusString, "; ");
  return bits + (bits.empty() || text.empty() ? "" : ": ") + text;
}

}  // namespace cmpost
