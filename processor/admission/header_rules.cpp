#include "processor/admission/header_rules.h"

#include <algorithm>

#include "cmp/direction.h"

namespace cmpost {
namespace {

constexpr std::size_t kMinNonce = 16;  // RFC 9483 3.1: "at least 128 bits"
constexpr std::size_t kMaxTransactionID = 64;

Checked<void> check_version(const PKIHeader& header) {
  if (header.pvno == kCmp2000 || header.pvno == kCmp2021) return {};
  return reject(PKIFailureInfo::unsupportedVersion,
                "pvno " + std::to_string(header.pvno) + " is not supported; use 2 or 3");
}

Checked<void> check_transaction_id(const PKIHeader& header, bool strict) {
  if (!header.transactionID) {
    return reject(PKIFailureInfo::badDataFormat, "the header has no transactionID");
  }
  const auto size = header.transactionID->size();
  if (strict ? size != kMinNonce : size == 0 || size > kMaxTransactionID) {
    return reject(PKIFailureInfo::badRequest,
                  "the transactionID has " + std::to_string(size) + " octets");
  }
  return {};
}

Checked<void> check_sender_nonce(const PKIHeader& header, bool strict) {
  if (!header.senderNonce) {
    return reject(PKIFailureInfo::badSenderNonce, "the header has no senderNonce");
  }
  const auto size = header.senderNonce->size();
  if (size < kMinNonce || (strict && size != kMinNonce)) {
    return reject(PKIFailureInfo::badSenderNonce,
                  "the senderNonce has " + std::to_string(size) + " octets instead of 16");
  }
  return {};
}

Checked<void> check_message_time(const PKIHeader& header, const ChannelSettings& channel,
                                 Time now) {
  if (!header.messageTime) {
    using enum MissingTime;
    if (channel.missing_time == allowed && !channel.strict) return {};
    // strict peers want the one bit, the comment of RFC 9810 Appendix F the other.
    const bool stamp = channel.missing_time == missingTimeStamp;
    return reject(stamp ? PKIFailureInfo::missingTimeStamp : PKIFailureInfo::badTime,
                  "the header has no messageTime");
  }
  const auto difference =
      *header.messageTime > now ? *header.messageTime - now : now - *header.messageTime;
  if (difference <= channel.age) return {};
  return reject(PKIFailureInfo::badTime, "messageTime " + to_iso8601(*header.messageTime) +
                                             " is too far from the time here, " + to_iso8601(now));
}

Checked<void> check_protection_pair(const PKIMessage& message) {
  if (message.header.protectionAlg.has_value() == message.protection.has_value()) return {};
  return reject(PKIFailureInfo::badMessageCheck,
                message.protection ? "there is a protection without protectionAlg"
                                   : "there is a protectionAlg without protection");
}

// The first message of a transaction answers nothing (R-015). Of a nested message, "other fields in
// the header [...] can be ignored" (RFC 9483 5.2.2.1), and RAs copy this one from what is inside.
Checked<void> check_recip_nonce(const PKIMessage& message) {
  const bool nested = std::holds_alternative<body::nested>(message.body);
  if (!message.header.recipNonce || nested || !opens_transaction(message.body)) return {};
  if (direction_of(message.body) == MessageDirection::response) return {};  // of a CA above
  // A request under KemBasedMac follows the answer that brought the ciphertext.
  const auto& algorithm = message.header.protectionAlg;
  if (algorithm && algorithm->algorithm == oid::id_KemBasedMac) return {};
  return reject(PKIFailureInfo::badRecipientNonce,
                "the first message of a transaction has a recipNonce");
}

Checked<bool> read_implicit_confirm(const GeneralInfo& info) {
  const auto* implicit = find(info, oid::id_it_implicitConfirm);
  const auto* wait = find(info, oid::id_it_confirmWaitTime);
  if (implicit != nullptr && implicit->infoValue) {
    der::Reader reader(*implicit->infoValue);
    if (!reader.null()) {
      return reject(PKIFailureInfo::badRequest, "the value of implicitConfirm is not NULL");
    }
  }
  if (wait != nullptr) {
    der::Reader reader(wait->infoValue ? ByteView(*wait->infoValue) : ByteView());
    if (!reader.generalized_time()) {
      return reject(PKIFailureInfo::badDataFormat,
                    "the value of confirmWaitTime is not a GeneralizedTime");
    }
    if (implicit != nullptr) {
      return reject(PKIFailureInfo::badRequest,
                    "implicitConfirm and confirmWaitTime exclude each other");
    }
  }
  return implicit != nullptr;
}

// CertProfileValue ::= SEQUENCE SIZE (1..MAX) OF UTF8String
Checked<std::vector<std::string>> read_cert_profile(const GeneralInfo& info) {
  std::vector<std::string> names;
  const auto* value = find(info, oid::id_it_certProfile);
  if (value == nullptr) return names;
  const auto malformed = [] {
    return reject(PKIFailureInfo::badDataFormat,
                  "the value of certProfile is not a SEQUENCE of UTF8String");
  };
  if (!value->infoValue) return malformed();
  der::Reader outer(*value->infoValue);
  auto items = outer.enter(der::kSequence);
  if (!items || items->at_end() || !outer.finish()) return malformed();
  while (!items->at_end()) {
    auto name = items->utf8_string();
    if (!name) return malformed();
    names.push_back(std::move(*name));
  }
  return names;
}

}  // namespace

bool opens_transaction(const PKIBody& body) {
  return !std::holds_alternative<body::certConf>(body) &&
         !std::holds_alternative<body::pollReq>(body) &&
         !std::holds_alternative<body::popdecr>(body) &&
         !std::holds_alternative<body::pkiconf>(body) && !std::holds_alternative<body::error>(body);
}

std::int64_t answer_pvno(std::int64_t pvno) {
  return std::clamp<std::int64_t>(pvno, kCmp2000, kCmp2021);
}

Checked<HeaderWishes> check_header(const PKIMessage& message, const ChannelPolicy& channel,
                                   Time now) {
  const auto& header = message.header;
  const bool strict = channel.settings.strict;
  TRY(check_version(header));
  TRY(check_transaction_id(header, strict));
  TRY(check_sender_nonce(header, strict));
  TRY(check_protection_pair(message));
  TRY(check_recip_nonce(message));
  TRY(check_message_time(header, channel.settings, now));
  HeaderWishes wishes;
  ASSIGN_OR_RETURN(wishes.implicitConfirm, read_implicit_confirm(header.generalInfo));
  ASSIGN_OR_RETURN(wishes.certProfile, read_cert_profile(header.generalInfo));
  return wishes;
}

CheckVerdicts explain_header(const PKIMessage& message, const ChannelPolicy& channel, Time now) {
  const auto& header = message.header;
  std::vector<CheckVerdict> verdicts;
  const auto note = [&](const char* check, const auto& result, std::string detail) {
    using enum CheckVerdict::Verdict;
    if (result) {
      verdicts.push_back({check, passed, std::move(detail)});
    } else {
      const auto& rejection = result.error();
      verdicts.push_back(
          {check, failed, std::string(to_string(rejection.failInfo)) + ": " + rejection.text});
    }
  };
  const auto size = [](const std::optional<Bytes>& field) {
    return field ? std::to_string(field->size()) + " octets" : std::string("absent");
  };
  const bool strict = channel.settings.strict;
  note("pvno", check_version(header), std::to_string(header.pvno));
  note("transactionID", check_transaction_id(header, strict), size(header.transactionID));
  note("senderNonce", check_sender_nonce(header, strict), size(header.senderNonce));
  note("protectionAlg with protection", check_protection_pair(message),
       header.protectionAlg ? header.protectionAlg->algorithm.name() : "absent");
  note("recipNonce", check_recip_nonce(message), size(header.recipNonce));
  note("messageTime", check_message_time(header, channel.settings, now),
       header.messageTime ? to_iso8601(*header.messageTime) : "absent");
  const auto implicit = read_implicit_confirm(header.generalInfo);
  note("implicitConfirm", implicit, implicit && *implicit ? "asked for" : "not asked for");
  const auto profiles = read_cert_profile(header.generalInfo);
  std::string names;
  for (const auto& name : profiles.value_or(std::vector<std::string>())) {
    names += (names.empty() ? "" : ", ") + printable(name, 64);
  }
  note("certProfile", profiles, names.empty() ? "none named" : names);
  return verdicts;
}

}  // namespace cmpost
