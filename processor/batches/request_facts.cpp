#include "processor/batches/request_facts.h"

#include "cmp/direction.h"
#include "processor/transaction/stored_request.h"

namespace cmpost {
namespace {

constexpr const char* kWhatIsTaken = "a batch has requests: ir, cr, p10cr, kur, rr, krr, ccr, genm";

void add(const std::optional<Name>& subject, const std::optional<SubjectPublicKeyInfo>& key,
         RequestFacts& facts) {
  if (subject && facts.subject.is_null_dn()) facts.subject = *subject;
  if (key) facts.keys.push_back(sha256(key->der));
}

void add_wishes(const PKIMessage& message, const MessageLimits& limits, RequestFacts& facts) {
  facts.has_token = facts.has_token || has_token(message);
  if (const auto* requests = cert_requests(message.body)) {
    for (const auto& one : *requests) {
      add(one.certReq.certTemplate.subject, one.certReq.certTemplate.publicKey, facts);
    }
  } else if (const auto* p10cr = std::get_if<body::p10cr>(&message.body)) {
    add(p10cr->request.subject, p10cr->request.spki, facts);
  } else if (const auto* rr = std::get_if<body::rr>(&message.body)) {
    for (const auto& one : rr->details) add(one.certDetails.subject, std::nullopt, facts);
  } else if (const auto* nested = std::get_if<body::nested>(&message.body)) {
    for (const auto& one : nested->messages) {
      const auto inner = decode(one, limits);
      const bool deeper = inner && std::holds_alternative<body::nested>(inner->body);
      if (inner && !deeper) add_wishes(*inner, limits, facts);
    }
  }
}

bool goes_on(const PKIBody& body) {
  return std::holds_alternative<body::certConf>(body) ||
         std::holds_alternative<body::pollReq>(body) || std::holds_alternative<body::popdecr>(body);
}

}  // namespace

Result<RequestFacts> read_request_facts(ByteView der, const MessageLimits& limits) {
  const auto message = decode(der, limits);
  if (!message) return hold("no PKIMessage: " + message.error().text(), kWhatIsTaken);
  RequestFacts facts;
  facts.body = body_name(message->body);
  if (goes_on(message->body)) {
    return hold("a " + facts.body + " goes on with a transaction, and opens none",
                "put it into the channel, where the answer came from");
  }
  if (direction_of(message->body) != MessageDirection::request || asks_for_nothing(der)) {
    return hold("a " + facts.body + " is no request", kWhatIsTaken);
  }
  facts.digest = sha256(der);
  facts.transactionID = message->header.transactionID.value_or(Bytes());
  add_wishes(*message, limits, facts);
  return facts;
}

}  // namespace cmpost
