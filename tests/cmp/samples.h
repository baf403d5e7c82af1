// One message for each of the 27 bodies, with every optional field that OpenSSL 3.0 knows.
#pragma once

#include "cmp/pki_message.h"
#include "cmp/writing.h"
#include "golden_messages.h"

namespace cmpost {

inline Bytes hex(std::string_view digits) { return from_hex(digits).value(); }

inline Name sample_name(std::string_view text) { return Name::from_text(text).value(); }
inline GeneralName sample_general_name() {
  return GeneralName::of(sample_name("CN=sample,O=Grid"));
}
inline Time sample_time() { return *from_iso8601("2026-03-04T05:06:07Z"); }

inline CMPCertificate sample_certificate() { return {to_bytes(golden_signer("ca").der())}; }
inline SubjectPublicKeyInfo sample_key() {
  const auto certificate = golden_signer("p256");
  der::Reader reader(certificate.spki());
  return read_spki(reader).value();
}
inline AlgorithmIdentifier sample_algorithm() { return {oid::id_sha256, hex("0500")}; }

// An empty CRL, as OpenSSL takes one.
inline Bytes sample_crl() {
  der::Writer writer;
  const AlgorithmIdentifier signature{oid::ecdsa_with_SHA256, std::nullopt};
  writer.constructed(der::kSequence, [&] {
    writer.constructed(der::kSequence, [&] {
      write(writer, signature);
      writer.raw(sample_name("CN=ca").der());
      writer.x509_time(sample_time());
    });
    write(writer, signature);
    writer.bit_string(hex("0102"));
  });
  return std::move(writer).take();
}

inline Extensions sample_extensions() {
  return {{oid::id_ce_keyUsage, true, hex("03020780")},
          {oid::id_ce_subjectAltName, false, hex("3003820161")}};
}

inline PKIHeader sample_header() {
  PKIHeader header;
  header.sender = sample_general_name();
  header.recipient = GeneralName::of(Name());
  header.messageTime = sample_time();
  header.protectionAlg = AlgorithmIdentifier{oid::ecdsa_with_SHA256, std::nullopt};
  header.senderKID = hex("01");
  header.recipKID = hex("0203");
  header.transactionID = Bytes(16, 4);
  header.senderNonce = Bytes(16, 5);
  header.recipNonce = Bytes(16, 6);
  header.freeText = {"one", "zw\xC3\xB6lf"};
  header.generalInfo = GeneralInfo{std::vector<InfoTypeAndValue>{
      {oid::id_it_implicitConfirm, hex("0500")}, {Oid("1.2.3.4"), std::nullopt}}};
  return header;
}

inline CertTemplate sample_template() {
  CertTemplate t;
  t.version = 2;
  t.serialNumber = hex("00ff");
  t.signingAlg = sample_algorithm();
  t.issuer = sample_name("CN=ca");
  t.validity = OptionalValidity{sample_time(), *from_iso8601("2051-01-01T00:00:00Z"), true, false};
  t.subject = sample_name("CN=dev1");
  t.publicKey = sample_key();
  t.issuerUID = hex("8702003f");
  t.subjectUID = hex("880204f0");
  t.extensions = sample_extensions();
  return t;
}

inline PKMACValue sample_mac() { return {sample_algorithm(), hex("0a00"), 3}; }

inline CertId sample_cert_id() { return {sample_general_name(), hex("1234")}; }

inline CertRequest sample_request(std::int64_t certReqId) {
  CertRequest request;
  request.certReqId = certReqId;
  request.certTemplate = sample_template();
  der::Writer old;
  write(old, sample_cert_id());
  request.controls =
      Controls{{oid::id_regCtrl_oldCertID, old.bytes()}, {oid::id_regCtrl_regToken, hex("0c0174")}};
  return request;
}

inline POPOSigningKey sample_signature(bool with_mac) {
  POPOSigningKeyInput input;
  if (with_mac) {
    input.authInfo = sample_mac();
  } else {
    input.authInfo = sample_general_name();
  }
  input.publicKey = sample_key();
  return {input, {oid::ecdsa_with_SHA256, std::nullopt}, hex("3000"), 0};
}

// A request for every kind of proof.
inline CertReqMessages sample_requests() {
  using Proof = std::optional<ProofOfPossession>;
  const std::vector<Proof> proofs = {
      Proof(),
      RaVerified{},
      sample_signature(false),
      sample_signature(true),
      POPOSigningKey{std::nullopt, sample_algorithm(), hex("aabb00"), 0},
      KeyEncipherment{{POPOPrivKey::ThisMessage{{hex("0180"), 7}}}},
      KeyEncipherment{{POPOPrivKey::SubsequentMessage::encrCert}},
      KeyEncipherment{{POPOPrivKey::SubsequentMessage::challengeResp}},
      KeyAgreement{{POPOPrivKey::DhMAC{{hex("0102"), 0}}}},
      KeyAgreement{{sample_mac()}}};
  CertReqMessages requests;
  for (const auto& proof : proofs) {
    const auto id = static_cast<std::int64_t>(requests.size());
    requests.push_back({sample_request(id), proof, std::nullopt});
  }
  requests[0].regInfo = std::vector<Attribute>{{oid::id_regInfo_utf8Pairs, hex("0c0161")}};
  requests[1].certReq.certTemplate = CertTemplate();
  requests[1].certReq.controls.reset();
  return requests;
}

inline PKIStatusInfo sample_status() {
  return {PKIStatus::rejection, {"no"}, std::uint64_t{1} << 2 | std::uint64_t{1} << 26};
}

// EncryptedValue with every field.
inline EncryptedKey sample_encrypted_value() {
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    write(writer, sample_algorithm(), der::context_constructed(0));
    write(writer, sample_algorithm(), der::context_constructed(1));
    writer.bit_string(hex("01"), 0, der::context(2));
    write(writer, sample_algorithm(), der::context_constructed(3));
    writer.octet_string(hex("02"), der::context(4));
    writer.bit_string(hex("03"));
  });
  return {EncryptedKey::Kind::encryptedValue, std::move(writer).take()};
}

inline CertifiedKeyPair sample_key_pair() {
  // PKIPublicationInfo: pleasePublish, one SinglePubInfo with method 2.
  return {{sample_certificate()}, sample_encrypted_value(), hex("300d02010130083006020102860161")};
}

inline CertRepMessage sample_response() {
  CertRepMessage message;
  message.caPubs = std::vector<CMPCertificate>{sample_certificate()};
  message.response.push_back({0, {PKIStatus::accepted, {}, {}}, sample_key_pair(), hex("0a0b")});
  message.response.push_back({-1, sample_status(), std::nullopt, std::nullopt});
  CertifiedKeyPair encrypted;
  encrypted.certOrEncCert.choice = sample_encrypted_value();
  message.response.push_back({70000, {PKIStatus::grantedWithMods, {}, {}}, encrypted, {}});
  return message;
}

inline RevDetails sample_revocation() {
  return {sample_template(), Extensions{{oid::id_ce_cRLReasons, false, hex("0a0101")}}};
}

inline CertificationRequest sample_pkcs10() {
  const auto message = decode(golden_file("p10cr-p256.1-p10cr.der"));
  return std::get<body::p10cr>(message->body).request;
}

inline Bytes sample_inner() { return golden_file("rr-pbm.1-rr.der"); }

inline GeneralInfo sample_infos() {
  return std::vector<InfoTypeAndValue>{{oid::id_it_currentCRL, std::nullopt},
                                       {Oid("2.5.4.3"), hex("020105")}};
}

inline std::vector<PKIBody> sample_bodies() {
  const CMPCertificate cert = sample_certificate();
  const Challenge challenge{sample_algorithm(), hex("01"), hex("02"), std::nullopt};
  const Challenge another{std::nullopt, hex("03"), hex(""), std::nullopt};
  return {body::ir{sample_requests()},
          body::ip{sample_response()},
          body::cr{sample_requests()},
          body::cp{sample_response()},
          body::p10cr{sample_pkcs10()},
          body::popdecc{{challenge, another}},
          body::popdecr{{hex("00"), hex("ff7f"), hex("0080")}},
          body::kur{sample_requests()},
          body::kup{sample_response()},
          body::krr{sample_requests()},
          body::krp{{sample_status(), cert, std::vector{cert}, std::vector{sample_key_pair()}}},
          body::rr{{sample_revocation(), {CertTemplate(), std::nullopt}}},
          body::rp{
              {{sample_status()}, std::vector{sample_cert_id()}, std::vector<Bytes>{sample_crl()}}},
          body::ccr{sample_requests()},
          body::ccp{sample_response()},
          body::ckuann{CAKeyUpdAnnContent{cert, cert, cert}},
          body::cann{cert},
          body::rann{{PKIStatus::revocationWarning, sample_cert_id(), sample_time(), sample_time(),
                      sample_extensions()}},
          body::crlann{{sample_crl(), sample_crl()}},
          body::pkiconf{},
          body::nested{{sample_inner(), sample_inner()}},
          body::genm{sample_infos()},
          body::genp{sample_infos()},
          body::error{{sample_status(), -5, {"more"}}},
          body::certConf{{{hex("01"), 0, sample_status(), std::nullopt},
                          {Bytes(32, 1), -1, std::nullopt, std::nullopt}}},
          body::pollReq{{{0}, {-1}}},
          body::pollRep{{{0, 3600, {"wait"}}, {1, 5, {}}}}};
}

inline PKIMessage sample_message(const PKIBody& body) {
  PKIMessage message;
  message.header = sample_header();
  message.body = body;
  message.protection = Protection{hex("aabbcc00"), 0};
  message.extraCerts = {sample_certificate(), sample_certificate()};
  return message;
}

// The forms of RFC 9810 that need pvno 3.
inline std::vector<PKIBody> sample_v3_bodies() {
  const EncryptedKey enveloped{EncryptedKey::Kind::envelopedData, hex("a003020100")};
  const CMPCertificate cert = sample_certificate();
  CertRepMessage response = sample_response();
  response.response[0].certifiedKeyPair->privateKey = enveloped;
  response.response[2].certifiedKeyPair->certOrEncCert.choice = enveloped;
  CertReqMessages requests = sample_requests();
  requests[0].popo = KeyEncipherment{{POPOPrivKey::EncryptedKey{hex("a403020100")}}};
  return {body::ir{requests},
          body::ip{response},
          body::popdecc{{{sample_algorithm(), hex("01"), hex(""), hex("a0053003020100")}}},
          body::ckuann{RootCaKeyUpdateContent{cert, cert, cert}},
          body::ckuann{RootCaKeyUpdateContent{cert, std::nullopt, std::nullopt}},
          body::certConf{{{hex("01"), 0, std::nullopt, sample_algorithm()}}}};
}

}  // namespace cmpost
