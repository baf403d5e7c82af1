// Key pairs that cannot sign, certified by somebody, and requests for them.
#pragma once

#include "crypto/envelope/envelope.h"
#include "crypto/envelope/key_package.h"
#include "crypto/secrets/kem.h"
#include "crypto/secrets/key_agreement.h"
#include "tests/processor/messages.h"

namespace cmpost {

inline Certificate certified_by(const OtherRoot& root, const PublicKey& key,
                                std::string_view subject, const std::vector<KeyUsageBit>& usage,
                                CaUnderTest& ca, const Extensions& more = {}) {
  TBSCertificate tbs;
  tbs.serialNumber = ca.random.bytes(12);
  tbs.serialNumber[0] = 1;
  tbs.issuer = root.certificate.subject();
  tbs.subject = name(subject);
  tbs.notBefore = ca.clock.now() - std::chrono::hours(1);
  tbs.notAfter = ca.clock.now() + std::chrono::hours(24 * 365);
  tbs.subjectPublicKeyInfo = to_bytes(key.spki());
  tbs.extensions = {subject_key_identifier_extension(key.key_identifier()),
                    key_usage_extension(usage)};
  if (!root.purposes.empty() && find(more, oid::id_ce_extKeyUsage) == nullptr) {
    tbs.extensions.push_back(extended_key_usage_extension(root.purposes));
  }
  tbs.extensions.insert(tbs.extensions.end(), more.begin(), more.end());
  return must(Certificate::from_der(must(sign_certificate(tbs, root.credential.signer))));
}

// A key pair for a test. RSA keys take long to make: three of them go round.
inline PrivateKey test_key(const std::string& algorithm) {
  static std::vector<PrivateKey> rsa;
  static std::size_t next = 0;
  if (algorithm != "rsa:2048") return must(PrivateKey::generate(algorithm));
  if (rsa.size() < 3) rsa.push_back(must(PrivateKey::generate(algorithm)));
  return rsa[next++ % 3];
}

// A key pair of the CA or of a requester.
struct AgreedParty {
  AgreedParty(const char* algorithm, const OtherRoot& root, std::string_view subject,
              KeyUsageBit usage, CaUnderTest& ca)
      : key(test_key(algorithm)),
        certificate(certified_by(root, key.public_key(), subject, {usage}, ca)) {}
  ProtocolKey protocol_key() const { return {key, certificate, {{to_bytes(certificate.der())}}}; }
  PrivateKey key;
  Certificate certificate;
};

// Header of a message that may use what came with pvno 3.
inline MessageOptions pvno3(MessageOptions options = {}) {
  auto edit = options.edit;
  options.edit = [edit](PKIHeader& header) {
    header.pvno = kCmp2021;
    edit(header);
  };
  return options;
}

// A request for `key` whose proof is what `prove` makes of the CertRequest.
inline CertReqMsg request_for(
    const PublicKey& key, std::string_view subject,
    const std::function<std::optional<ProofOfPossession>(const CertRequest&)>& prove,
    const std::function<void(CertRequest&)>& edit = [](CertRequest&) {}) {
  CertReqMsg message;
  message.certReq.certTemplate.subject = name(subject);
  message.certReq.certTemplate.publicKey = spki_of(key);
  edit(message.certReq);
  message.certReq.der = encode(message.certReq);
  message.popo = prove(message.certReq);
  return message;
}

inline ProofOfPossession later(POPOPrivKey::SubsequentMessage how, bool agreement = false) {
  if (agreement) return KeyAgreement{{how}};
  return KeyEncipherment{{how}};
}

inline const CertifiedKeyPair& key_pair_in(const PKIMessage& answer) {
  const auto* response = cert_response(answer.body);
  if (response == nullptr || !response->response.at(0).certifiedKeyPair) {
    ADD_FAILURE() << "no key pair in " << body_name(answer.body);
    std::abort();
  }
  return *response->response[0].certifiedKeyPair;
}

// EnvelopedData with the tag of its own.
inline Bytes enveloped_in(const EncryptedKey& encrypted) {
  EXPECT_EQ(encrypted.kind, EncryptedKey::Kind::envelopedData);
  auto der = encrypted.der;
  der[0] = der::kSequence;
  return der;
}

inline KeyGenerator key_generator_of(CaUnderTest& ca) {
  const Credential generator;
  const auto certificate = certified_by(ca.ra_root, generator.key.public_key(), "CN=KGA",
                                        {KeyUsageBit::digitalSignature}, ca,
                                        {extended_key_usage_extension({oid::id_kp_cmKGA})});
  return {generator.signer, {certificate}};
}

// A private key as it was delivered, whoever signed it.
inline PrivateKey delivered_key(const OpenedContent& opened) {
  EXPECT_EQ(opened.content_type, oid::id_signedData);
  der::Reader reader(opened.content);
  auto at = reader.enter(der::kSequence).value();
  EXPECT_EQ(at.integer().value(), 3);
  EXPECT_TRUE(at.expect(der::kSet).has_value());
  auto content = at.enter(der::kSequence).value();
  EXPECT_EQ(content.object_identifier().value(), oid::id_ct_KP_aKeyPackage);
  auto octets = content.enter(der::context_constructed(0)).value();
  return must(read_key_package(octets.octet_string().value()));
}

inline constexpr std::string_view kKey = "0123456789abcdef0123456789abcdef";  // 32 octets

inline void add_key(CaUnderTest& ca, std::string_view reference, std::string_view value) {
  Secret secret;
  secret.reference = reference;
  secret.value = to_bytes(value);
  ca.add(secret);
}

}  // namespace cmpost
