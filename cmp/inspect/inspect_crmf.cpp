// Certificate requests in words.
#include "cmp/inspect/inspect_facts.h"
#include "cmp/reading.h"

namespace cmpost::inspect {
namespace {

Facts bits(const ProofBits& bits) { return octets(bits.bits); }

Facts mac_value(const PKMACValue& mac) {
  return {{"algId", algorithm(mac.algId)}, {"value", octets(mac.value)}};
}

Facts signing_key_input(const POPOSigningKeyInput& input) {
  Facts facts;
  if (const auto* sender = std::get_if<GeneralName>(&input.authInfo)) {
    facts["sender"] = text(sender->text());
  } else {
    facts["publicKeyMAC"] = mac_value(std::get<PKMACValue>(input.authInfo));
  }
  facts["publicKey"] = public_key(input.publicKey);
  return facts;
}

struct PrivateKeyProof {
  Facts operator()(const POPOPrivKey::ThisMessage& proof) const {
    return {{"thisMessage", bits(proof)}};
  }
  Facts operator()(POPOPrivKey::SubsequentMessage proof) const {
    using enum POPOPrivKey::SubsequentMessage;
    const Facts name = proof == encrCert        ? Facts("encrCert")
                       : proof == challengeResp ? Facts("challengeResp")
                                                : Facts(static_cast<int>(proof));
    return {{"subsequentMessage", name}};
  }
  Facts operator()(const POPOPrivKey::DhMAC& proof) const { return {{"dhMAC", bits(proof)}}; }
  Facts operator()(const PKMACValue& mac) const { return {{"agreeMAC", mac_value(mac)}}; }
  Facts operator()(const POPOPrivKey::EncryptedKey& key) const {
    return {{"encryptedKey", encrypted_key(key.der)}};
  }
};

struct Proof {
  Facts operator()(RaVerified) const { return {{"raVerified", true}}; }
  Facts operator()(const POPOSigningKey& key) const {
    Facts facts;
    if (key.poposkInput) facts["poposkInput"] = signing_key_input(*key.poposkInput);
    facts["algorithmIdentifier"] = algorithm(key.algorithmIdentifier);
    facts["signature"] = octets(key.signature);
    return {{"signature", facts}};
  }
  Facts operator()(const KeyEncipherment& proof) const {
    return {{"keyEncipherment", std::visit(PrivateKeyProof{}, proof.key.choice)}};
  }
  Facts operator()(const KeyAgreement& proof) const {
    return {{"keyAgreement", std::visit(PrivateKeyProof{}, proof.key.choice)}};
  }
};

Facts validity(const OptionalValidity& validity) {
  auto facts = Facts::object();
  if (validity.notBefore) facts["notBefore"] = to_iso8601(*validity.notBefore);
  if (validity.notAfter) facts["notAfter"] = to_iso8601(*validity.notAfter);
  return facts;
}

}  // namespace

Facts cert_id(const CertId& id) {
  return {{"issuer", text(id.issuer.text())}, {"serialNumber", to_hex(id.serialNumber)}};
}

Facts cert_template(const CertTemplate& t) {
  auto facts = Facts::object();
  if (t.version) facts["version"] = *t.version;
  if (t.serialNumber) facts["serialNumber"] = to_hex(*t.serialNumber);
  if (t.signingAlg) facts["signingAlg"] = algorithm(*t.signingAlg);
  if (t.issuer) facts["issuer"] = text(t.issuer->text());
  if (t.validity) facts["validity"] = validity(*t.validity);
  if (t.subject) facts["subject"] = text(t.subject->text());
  if (t.publicKey) facts["publicKey"] = public_key(*t.publicKey);
  if (t.issuerUID) facts["issuerUID"] = octets(*t.issuerUID);
  if (t.subjectUID) facts["subjectUID"] = octets(*t.subjectUID);
  if (t.extensions) facts["extensions"] = extensions(*t.extensions);
  return facts;
}

Facts cert_requests(const CertReqMessages& requests) {
  return each(requests, [](const CertReqMsg& request) {
    Facts facts = {{"certReqId", request.certReq.certReqId},
                   {"certTemplate", cert_template(request.certReq.certTemplate)}};
    if (request.certReq.controls) facts["controls"] = attributes(*request.certReq.controls);
    if (request.popo) facts["popo"] = std::visit(Proof{}, *request.popo);
    if (request.regInfo) facts["regInfo"] = attributes(*request.regInfo);
    return facts;
  });
}

}  // namespace cmpost::inspect
