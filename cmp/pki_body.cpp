#include "cmp/pki_body.h"

#include <array>
#include <concepts>

namespace cmpost {

std::string_view to_string(PKIStatus status) {
  static constexpr std::array<std::string_view, 7> kNames = {
      "accepted",          "grantedWithMods",        "rejection",       "waiting",
      "revocationWarning", "revocationNotification", "keyUpdateWarning"};
  const auto index = static_cast<std::size_t>(status);
  return index < kNames.size() ? kNames[index] : "unknown";
}

bool PKIStatusInfo::has(PKIFailureInfo bit) const {
  return failInfo && ((*failInfo >> static_cast<unsigned>(bit)) & 1U) != 0;
}

PKIStatusInfo status_info(const Rejection& rejection) {
  PKIStatusInfo info;
  info.status = PKIStatus::rejection;
  if (!rejection.text.empty()) info.statusString.push_back(rejection.text);
  info.failInfo = std::uint64_t{1} << static_cast<unsigned>(rejection.failInfo);
  return info;
}

PKIStatusInfo status_of_many(const Rejection& rejection, std::size_t before) {
  constexpr std::size_t kInWords = 16;
  auto info = status_info(rejection);
  if (before >= kInWords) info.statusString.clear();
  return info;
}

std::string_view body_name(std::size_t tag) {
  static constexpr std::array<std::string_view, std::variant_size_v<PKIBody>> kNames = {
      "ir",     "ip",      "cr",     "cp",   "p10cr", "popdecc", "popdecr",  "kur",     "kup",
      "krr",    "krp",     "rr",     "rp",   "ccr",   "ccp",     "ckuann",   "cann",    "rann",
      "crlann", "pkiconf", "nested", "genm", "genp",  "error",   "certConf", "pollReq", "pollRep"};
  return tag < kNames.size() ? kNames[tag] : "unknown";
}

namespace {

// body::pollReq has `requests` of its own type and is not one of these.
template <typename Choice>
concept CarriesCertRequests = requires(const Choice& choice) {
  { choice.requests } -> std::same_as<const CertReqMessages&>;
};
template <typename Choice>
concept CarriesCertResponse = requires(const Choice& choice) {
  { choice.response } -> std::same_as<const CertRepMessage&>;
};

}  // namespace

const CertReqMessages* cert_requests(const PKIBody& body) {
  return std::visit(
      []<typename Choice>(const Choice& choice) -> const CertReqMessages* {
        if constexpr (CarriesCertRequests<Choice>) return &choice.requests;
        return nullptr;
      },
      body);
}

const CertRepMessage* cert_response(const PKIBody& body) {
  return std::visit(
      []<typename Choice>(const Choice& choice) -> const CertRepMessage* {
        if constexpr (CarriesCertResponse<Choice>) return &choice.response;
        return nullptr;
      },
      body);
}

}  // namespace cmpost
