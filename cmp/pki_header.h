// PKIHeader (RFC 9810 5.1.1) and the small types that header and bodies share.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "asn1/name.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "crypto/keys/algorithm.h"

namespace cmpost {

constexpr int kCmp1999 = 1, kCmp2000 = 2, kCmp2021 = 3;

// SEQUENCE SIZE (1..MAX) OF T OPTIONAL. No elements: absent. A peer that sent an empty list all the
// same (OpenSSL takes it) is remembered, so that the message can be written back unchanged.
template <typename T>
struct OptionalList : std::vector<T> {
  using std::vector<T>::vector;
  OptionalList() = default;
  OptionalList(std::vector<T> items)  // NOLINT(google-explicit-constructor)
      : std::vector<T>(std::move(items)) {}
  bool present() const { return sent_empty || !this->empty(); }
  bool sent_empty = false;
};

using PKIFreeText = OptionalList<std::string>;  // UTF8String each

// infoValue is one whole DER element, absent in requests for information.
struct InfoTypeAndValue {
  Oid infoType;
  std::optional<Bytes> infoValue;
  friend bool operator==(const InfoTypeAndValue&, const InfoTypeAndValue&) = default;
};
using GeneralInfo = OptionalList<InfoTypeAndValue>;
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
