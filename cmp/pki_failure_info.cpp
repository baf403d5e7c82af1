#include "cmp/pki_failure_info.h"

#include <array>

namespace cmpost {

std::string_view to_string(PKIFailureInfo bit) {
  static constexpr std::array<std::string_view, kFailureInfoCount> kNames = {
      "badAlg",
      "badMessageCheck",
      "badRequest",
      "badTime",
      "badCertId",
      "badDataFormat",
      "wrongAuthority",
      "incorrectData",
      "missingTimeStamp",
      "badPOP",
      "certRevoked",
      "certConfirmed",
      "wrongIntegrity",
      "badRecipientNonce",
      "timeNotAvailable",
      "unacceptedPolicy",
      "unacceptedExtension",
      "addInfoNotAvailable",
      "badSenderNonce",
      "badCertTemplate",
      "signerNotTrusted",
      "transactionIdInUse",
      "unsupportedVersion",
      "notAuthorized",
      "systemUnavail",
      "systemFailure",
      "duplicateCertReq",
  };
  const auto index = static_cast<std::size_t>(bit);
  return index < kNames.size() ? kNames[index] : "unknown";
}

}  // namespace cmpost
