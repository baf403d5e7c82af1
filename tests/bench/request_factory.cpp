#include "request_factory.h"

#include "cmp/protection.h"
#include "crypto/x509/certificate_builder.h"

namespace cmpost {
namespace {

using std::chrono::hours;

constexpr std::int64_t kIterations = 500;

TBSCertificate certificate_body(const Name& issuer, const Name& subject, const PublicKey& key,
                                Random& random, Time now) {
  TBSCertificate tbs;
  tbs.serialNumber = random.bytes(16);
  tbs.serialNumber[0] = 0x40;
  tbs.issuer = issuer;
  tbs.subject = subject;
  tbs.notBefore = now - hours(1);
  tbs.notAfter = now + hours(24 * 365);
  tbs.subjectPublicKeyInfo = to_bytes(key.spki());
  tbs.extensions.push_back(subject_key_identifier_extension(key.key_identifier()));
  return tbs;
}

Result<Certificate> sign(const TBSCertificate& tbs, const Signer& signer) {
  ASSIGN_OR_RETURN(const Bytes der, sign_certificate(tbs, signer));
  return Certificate::from_der(der);
}

Result<Vendor::Device> make_device(std::size_t number, const Certificate& root,
                                   const Signer& root_signer, Random& random, Time now) {
  ASSIGN_OR_RETURN(const PrivateKey key, PrivateKey::generate("ec:P-256"));
  ASSIGN_OR_RETURN(const Name subject,
                   Name::from_text("CN=device-" + std::to_string(number) + ",O=Fleet"));
  auto tbs = certificate_body(root.subject(), subject, key.public_key(), random, now);
  tbs.extensions.push_back(key_usage_extension({KeyUsageBit::digitalSignature}));
  tbs.extensions.push_back(
      authority_key_identifier_extension(root_signer.public_key().key_identifier()));
  ASSIGN_OR_RETURN(Certificate certificate, sign(tbs, root_signer));
  ASSIGN_OR_RETURN(Signer signer, Signer::create(key));
  return Vendor::Device{std::move(certificate), std::move(signer)};
}

PKIHeader make_header(const Name& sender, Bytes sender_kid, Random& random, Time now) {
  PKIHeader header;
  header.sender = GeneralName::of(sender);
  header.recipient = GeneralName::of(Name());
  header.messageTime = std::chrono::floor<std::chrono::seconds>(now);
  header.senderKID = std::move(sender_kid);
  header.transactionID = random.bytes(16);
  header.senderNonce = random.bytes(16);
  header.generalInfo.push_back({oid::id_it_implicitConfirm, Bytes{der::kNull, 0}});
  return header;
}

Result<CertReqMsg> make_cert_request(const Name& subject, const PrivateKey& key) {
  ASSIGN_OR_RETURN(const Signer signer, Signer::create(key));
  CertReqMsg message;
  message.certReq.certTemplate.subject = subject;
  der::Reader spki(key.public_key().spki());
  auto parsed = read_spki(spki);
  CHECK(parsed);
  message.certReq.certTemplate.publicKey = std::move(*parsed);
  message.certReq.der = encode(message.certReq);
  ASSIGN_OR_RETURN(const Bytes signature, signer.sign(message.certReq.der));
  POPOSigningKey popo;
  popo.algorithmIdentifier = signer.algorithm();
  popo.signature = signature;
  message.popo = std::move(popo);
  return message;
}

Result<PKIBody> make_ir(const Name& subject, const PrivateKey& key) {
  ASSIGN_OR_RETURN(CertReqMsg message, make_cert_request(subject, key));
  body::ir ir;
  ir.requests.push_back(std::move(message));
  return PKIBody(std::move(ir));
}

}  // namespace

Result<Vendor> Vendor::create(std::size_t device_count, Random& random, Time now,
                              std::string_view root_name) {
  ASSIGN_OR_RETURN(const PrivateKey key, PrivateKey::generate("ec:P-256"));
  ASSIGN_OR_RETURN(const Name subject, Name::from_text(root_name));
  ASSIGN_OR_RETURN(const Signer signer, Signer::create(key));
  auto tbs = certificate_body(subject, subject, key.public_key(), random, now);
  tbs.extensions.push_back(basic_constraints_extension(true, std::nullopt));
  tbs.extensions.push_back(key_usage_extension({KeyUsageBit::keyCertSign, KeyUsageBit::cRLSign}));
  ASSIGN_OR_RETURN(Certificate root, sign(tbs, signer));
  std::vector<Device> devices;
  for (std::size_t i = 0; i < device_count; ++i) {
    ASSIGN_OR_RETURN(auto device, make_device(i, root, signer, random, now));
    devices.push_back(std::move(device));
  }
  return Vendor(std::move(root), std::move(devices));
}

Result<Bytes> make_signed_request(const Vendor::Device& device, Random& random, Time now) {
  const Name& subject = device.certificate.subject();
  ASSIGN_OR_RETURN(const PrivateKey key, PrivateKey::generate("ec:P-256"));
  ASSIGN_OR_RETURN(const PKIBody ir, make_ir(subject, key));
  auto header = make_header(subject, *device.certificate.subject_key_identifier(), random, now);
  return protect_with_signature(std::move(header), ir, device.signer,
                                {CMPCertificate{to_bytes(device.certificate.der())}});
}

Result<Bytes> make_mac_request(const SharedSecret& secret, const Name& subject, Random& random,
                               Time now) {
  ASSIGN_OR_RETURN(const PrivateKey key, PrivateKey::generate("ec:P-256"));
  return make_mac_request(secret, subject, key, random, now);
}

Result<Bytes> make_mac_request(const SharedSecret& secret, const Name& subject,
                               const PrivateKey& key, Random& random, Time now) {
  ASSIGN_OR_RETURN(const PKIBody ir, make_ir(subject, key));
  auto header = make_header(subject, to_bytes(secret.reference), random, now);
  return protect_with_mac(std::move(header), ir, make_pbm_parameter(random, kIterations),
                          view_of(secret.value), {});
}

Result<Bytes> make_batch(std::vector<Bytes> members, const Vendor::Device& ra, Random& random,
                         Time now) {
  const Name& subject = ra.certificate.subject();
  auto header = make_header(subject, *ra.certificate.subject_key_identifier(), random, now);
  header.generalInfo.clear();
  return protect_with_signature(std::move(header), body::nested{std::move(members)}, ra.signer,
                                {CMPCertificate{to_bytes(ra.certificate.der())}});
}

}  // namespace cmpost
