#include "processor/admission/reply.h"

#include <algorithm>

#include "cmp/protection.h"
#include "processor/admission/header_rules.h"

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

PKIHeader reply_header(const PKIHeader& request, const ReplyParts& parts, const Identity& identity,
                       Time now) {
  PKIHeader header;
  header.pvno = answer_pvno(request.pvno);
  header.sender = GeneralName::of(identity.certificate.subject());
  header.recipient = request.sender;
  // Readers in devices know GeneralizedTime as certificates have it: RFC 5280 4.1.2.5.2, "MUST NOT
  // include fractional seconds".
  header.messageTime = std::chrono::floor<std::chrono::seconds>(now);
  header.transactionID = request.transactionID;
  header.senderNonce = parts.senderNonce;
  header.recipNonce = request.senderNonce;
  if (parts.implicitConfirm) {
    header.generalInfo.push_back({oid::id_it_implicitConfirm, null_value()});
  } else if (parts.confirmWaitTime) {
    header.generalInfo.push_back({oid::id_it_confirmWaitTime, time_value(*parts.confirmWaitTime)});
  }
  // "it MUST include the OID (with absent value) in the generalInfo field" (RFC 9810 Appendix B).
  if (parts.takes_passphrase) header.generalInfo.push_back({oid::id_it_revPassphrase, {}});
  return header;
}

const std::vector<CMPCertificate> kNoCertificates;

// Our key that a MAC under an agreed secret belongs to.
const ProtocolKey* own_key(const MacParameters& parameters, const CertificateHolder* peer,
                           const Identity& identity) {
  if (std::holds_alternative<KemBMParameter>(parameters)) return identity.kem_key();
  const auto key = peer != nullptr ? peer->certificate.public_key() : hold("no certificate");
  return key ? identity.agreement_key(*key, std::nullopt) : nullptr;
}

std::vector<CMPCertificate> joined(std::vector<CMPCertificate> all,
                                   const std::vector<CMPCertificate>& more) {
  for (const auto& one : more) {
    if (std::ranges::find(all, one.der, &CMPCertificate::der) == all.end()) all.push_back(one);
  }
  return all;
}

bool carries_certificate(const PKIBody& body) { return cert_response(body) != nullptr; }

}  // namespace

Result<Bytes> build_reply(const PKIHeader& request, const std::optional<Requester>& requester,
                          ReplyParts parts, const Identity& identity, Random& random, Time now) {
  auto header = reply_header(request, parts, identity, now);
  // RFC 9810 Appendix E: a ciphertext is given out, and asked for, without protection.
  const bool asks = requester && requester->lacks_ciphertext;
  if (parts.unprotected || asks) {
    const auto* kem = identity.kem_key();
    const bool show = asks && kem != nullptr;
    return leave_unprotected(std::move(header), parts.body, show ? kem->chain : kNoCertificates);
  }
  if (requester && requester->answer_mac) {
    const auto& mac = *requester->answer_mac;
    const auto* own = own_key(mac.parameters, requester->certificate(), identity);
    if (own == nullptr) return hold("the key for MACs under an agreed secret is gone");
    header.sender = GeneralName::of(own->certificate.subject());
    header.senderKID = own->certificate.subject_key_identifier();
    return protect_with_mac(std::move(header), parts.body, renewed(mac.parameters, random),
                            mac.secret, own->chain);
  }
  const auto* holder = requester ? requester->secret() : nullptr;
  if (holder == nullptr) {
    header.senderKID = identity.key_identifier;
    return protect_with_signature(std::move(header), parts.body, identity.signer,
                                  joined(identity.chain, parts.chain));
  }
  // Names the secret, as the requester named it: whoever answers by mail may have many.
  header.senderKID = request.senderKID;
  return protect_with_mac(
      std::move(header), parts.body, renewed(holder->parameters, random), holder->secret.value,
      carries_certificate(parts.body) ? joined(identity.issuers, parts.chain) : kNoCertificates);
}

Name answer_sender(const Requester& requester, const Identity& identity) {
  const auto* own = requester.answer_mac ? own_key(requester.answer_mac->parameters,
                                                   requester.certificate(), identity)
                                         : nullptr;
  return own != nullptr ? own->certificate.subject() : identity.certificate.subject();
}

}  // namespace cmpost
