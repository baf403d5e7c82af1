#include "processor/reply.h"

#include "cmp/protection.h"
#include "processor/header_rules.h"

namespace cmpost {
namespace {

Bytes null_value() {
  der::Writer writer;
  writer.null();
  return std::move(writer).take();
}

Bytes time_value(Time time) {
  der::Writer writer;
  writer.generalized_time(time);
  return std::move(writer).take();
}

PKIHeader reply_header(const PKIHeader& request, const ReplyParts& parts,
                       const Authority& authority, Time now) {
  PKIHeader header;
  header.pvno = answer_pvno(request.pvno);
  header.sender = GeneralName::of(authority.cmp_certificate.subject());
  header.recipient = request.sender;
  header.messageTime = now;
  header.transactionID = request.transactionID;
  header.senderNonce = parts.senderNonce;
  header.recipNonce = request.senderNonce;
  if (parts.implicitConfirm) {
    header.generalInfo.push_back({oid::id_it_implicitConfirm, null_value()});
  } else if (parts.confirmWaitTime) {
    header.generalInfo.push_back({oid::id_it_confirmWaitTime, time_value(*parts.confirmWaitTime)});
  }
  return header;
}

bool carries_certificate(const PKIBody& body) { return cert_response(body) != nullptr; }

}  // namespace

Result<Bytes> build_reply(const PKIHeader& request, const std::optional<Requester>& requester,
                          ReplyParts parts, const Authority& authority, Random& random, Time now) {
  auto header = reply_header(request, parts, authority, now);
  const auto* holder = requester ? requester->secret() : nullptr;
  if (holder == nullptr) {
    header.senderKID = authority.cmp_key_identifier;
    return protect_with_signature(std::move(header), parts.body, authority.cmp_signer,
                                  authority.cmp_chain);
  }
  // Names the secret, as the requester named it: whoever answers by mail may have many.
  header.senderKID = request.senderKID;
  static const std::vector<CMPCertificate> kNone;
  return protect_with_mac(std::move(header), parts.body, with_fresh_salt(holder->parameter, random),
                          holder->secret.value,
                          carries_certificate(parts.body) ? authority.ca_chain : kNone);
}

PKIBody error_body(const Rejection& rejection) {
  return body::error{{status_info(rejection), std::nullopt, {}}};
}

}  // namespace cmpost
