// PKIFailureInfo (RFC 9810 5.2.3) and the refusal that carries it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace cmpost {

// The value is the number of the bit.
enum class PKIFailureInfo {
  badAlg = 0,
  badMessageCheck,
  badRequest,
  badTime,
  badCertId,
  badDataFormat,
  wrongAuthority,
  incorrectData,
  missingTimeStamp,
  badPOP,
  certRevoked,
  certConfirmed,
  wrongIntegrity,
  badRecipientNonce,
  timeNotAvailable,
  unacceptedPolicy,
  unacceptedExtension,
  addInfoNotAvailable,
  badSenderNonce,
  badCertTemplate,
  signerNotTrusted,
  transactionIdInUse,
  unsupportedVersion,
  notAuthorized,
  systemUnavail,
  systemFailure,
  duplicateCertReq,
};
constexpr int kFailureInfoCount = 27;
std::string_view to_string(PKIFailureInfo bit);

// What is wrong with a request: told to the requester, in a PKIMessage.
struct Rejection {
  PKIFailureInfo failInfo;
  std::string text;  // one sentence for statusString; no secrets, no paths
};

// Either kind of trouble. A Rejection never turns into an Error by accident.
struct Trouble {
  Trouble(Rejection r) : kind(std::move(r)) {}  // NOLINT(google-explicit-constructor)
  Trouble(Error e) : kind(std::move(e)) {}      // NOLINT(google-explicit-constructor)
  const Rejection* rejection() const { return std::get_if<Rejection>(&kind); }
  const Error* error() const { return std::get_if<Error>(&kind); }
  std::variant<Rejection, Error> kind;
};

template <typename T>
using Checked = tl::expected<T, Rejection>;
template <typename T>
using Outcome = tl::expected<T, Trouble>;

// The two kinds of trouble taken apart: an Error is handed on by ASSIGN_OR_RETURN, and what remains
// is the value or the Rejection:
//   ASSIGN_OR_RETURN(const auto granted, apart(grant()));
//   if (!granted) return answer_with(granted.error());
template <typename T>
Result<Checked<T>> apart(Outcome<T> outcome) {
  if (!outcome) {
    auto& trouble = outcome.error().kind;
    if (auto* error = std::get_if<Error>(&trouble)) return failure(std::move(*error));
    return Result<Checked<T>>(tl::in_place, tl::unexpect, std::get<Rejection>(std::move(trouble)));
  }
  if constexpr (std::is_void_v<T>) {
    return Result<Checked<T>>(tl::in_place);
  } else {
    return Result<Checked<T>>(tl::in_place, *std::move(outcome));
  }
}

inline auto reject(PKIFailureInfo bit, std::string text) {
  return failure(Rejection{bit, std::move(text)});
}

}  // namespace cmpost
