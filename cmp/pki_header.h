// PKIHeader (RFC 9810 5.1.1) and the small types that header and bodies share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "crypto/algorithm.h"
#include "crypto/name.h"

namespace cmpost {

constexpr int kCmp1999 = 1, kCmp2000 = 2, kCmp2021 = 3;

using PKIFreeText = std::vector<std::string>;  // UTF8String each

// infoValue is one whole DER element, absent in requests for information.
struct InfoTypeAndValue {
  Oid infoType;
  std::optional<Bytes> infoValue;
  friend bool operator==(const InfoTypeAndValue&, const InfoTypeAndValue&) = default;
};
using GeneralInfo = std::vector<InfoTypeAndValue>;
const InfoTypeAndValue* find(const GeneralInfo& info, const Oid& type);

struct PKIHeader {
  std::int64_t pvno = kCmp2000;
  GeneralName sender;
  GeneralName recipient;
  std::optional<Time> messageTime;
  std::optional<AlgorithmIdentifier> protectionAlg;
  std::optional<Bytes> senderKID;
  std::optional<Bytes> recipKID;
  std::optional<Bytes> transactionID;
  std::optional<Bytes> senderNonce;
  std::optional<Bytes> recipNonce;
  PKIFreeText freeText;     // empty: absent
  GeneralInfo generalInfo;  // empty: absent
};

}  // namespace cmpost
