// Detached SignedData, read and verified (RFC 5652 5). OpenSSL 3.0 cannot do it for EdDSA.
#include <algorithm>

#include "crypto/envelope/envelope.h"

namespace cmpost {
namespace {

constexpr std::size_t kMostCertificates = 16;
constexpr std::size_t kMostSignedAttributes = 16;

struct SignerInfo {
  std::optional<IssuerAndSerialNumber> issuer;  // or ...
  Bytes key_identifier;
  AlgorithmIdentifier digest, signature_algorithm;
  Bytes attributes;  // with the tag of a SET, as they are signed
  Bytes content_type, message_digest;
  Bytes signature;
};

der::Parsed<void> read_attributes(der::Reader& at, SignerInfo& signer) {
  ASSIGN_OR_RETURN(const auto set, at.expect(der::context_constructed(0)));
  signer.attributes = to_bytes(set.whole);
  signer.attributes[0] = der::kSet;
  der::Reader attributes = at.inside(set);
  for (std::size_t i = 0; !attributes.at_end(); ++i) {
    if (i == kMostSignedAttributes) return attributes.fault("too many signed attributes");
    ASSIGN_OR_RETURN(der::Reader attribute, attributes.enter(der::kSequence));
    ASSIGN_OR_RETURN(const auto type, attribute.object_identifier());
    ASSIGN_OR_RETURN(der::Reader values, attribute.enter(der::kSet));
    TRY(attribute.finish());
    auto* wanted = type == oid::id_contentType     ? &signer.content_type
                   : type == oid::id_messageDigest ? &signer.message_digest
                                                   : nullptr;
    if (wanted == nullptr) continue;
    // RFC 5652 11.1, 11.2: once, and with one value.
    ASSIGN_OR_RETURN(const auto value, values.any());
    TRY(values.finish());
    if (!wanted->empty()) return attributes.fault("a signed attribute comes twice");
    *wanted = to_bytes(value.whole);
  }
  return {};
}

der::Parsed<SignerInfo> read_signer(der::Reader at) {
  SignerInfo signer;
  TRY(at.integer());
  if (at.peek() == der::kSequence) {
    ASSIGN_OR_RETURN(der::Reader rid, at.enter(der::kSequence));
    ASSIGN_OR_RETURN(auto issuer, Name::read(rid));
    ASSIGN_OR_RETURN(auto serial, rid.big_integer());
    TRY(rid.finish());
    signer.issuer = IssuerAndSerialNumber{std::move(issuer), std::move(serial)};
  } else {
    ASSIGN_OR_RETURN(const ByteView ski, at.octet_string(der::context(0)));
    signer.key_identifier = to_bytes(ski);
  }
  ASSIGN_OR_RETURN(signer.digest, read_algorithm(at));
  TRY(read_attributes(at, signer));
  ASSIGN_OR_RETURN(signer.signature_algorithm, read_algorithm(at));
  ASSIGN_OR_RETURN(const ByteView signature, at.octet_string());
  signer.signature = to_bytes(signature);
  TRY(at.optional(der::context_constructed(1)));  // unsigned attributes
  TRY(at.finish());
  return signer;
}

struct ReadSignedData {
  std::vector<Bytes> certificates;
  SignerInfo signer;
};

der::Parsed<ReadSignedData> read_signed_data(ByteView octets) {
  der::Reader reader(octets);
  ASSIGN_OR_RETURN(der::Reader info, reader.enter(der::kSequence));
  TRY(reader.finish());
  ASSIGN_OR_RETURN(const auto type, info.object_identifier());
  if (type != oid::id_signedData) return info.fault("no SignedData");
  ASSIGN_OR_RETURN(der::Reader inside, info.enter(der::context_constructed(0)));
  TRY(info.finish());
  ASSIGN_OR_RETURN(der::Reader at, inside.enter(der::kSequence));
  TRY(inside.finish());
  TRY(at.integer());
  TRY(at.expect(der::kSet));  // of digests, which the signer names as well
  ASSIGN_OR_RETURN(der::Reader content, at.enter(der::kSequence));
  ASSIGN_OR_RETURN(const auto content_type, content.object_identifier());
  if (content_type != oid::id_data) return content.fault("another content than id-data");
  // RFC 5652 5.2: with a content of its own it would depend on the reader which one counts.
  if (!content.at_end()) return content.fault("a signature beside a content has another inside");
  ReadSignedData data;
  ASSIGN_OR_RETURN(auto certificates, at.enter_optional(der::context_constructed(0)));
  while (certificates && !certificates->at_end()) {
    if (data.certificates.size() == kMostCertificates) return at.fault("too many certificates");
    ASSIGN_OR_RETURN(const auto one, certificates->any());
    data.certificates.push_back(to_bytes(one.whole));
  }
  TRY(at.optional(der::context_constructed(1)));  // CRLs
  ASSIGN_OR_RETURN(der::Reader signers, at.enter(der::kSet));
  TRY(at.finish());
  ASSIGN_OR_RETURN(der::Reader only, signers.enter(der::kSequence));
  if (!signers.at_end()) return signers.fault("more than one signer");
  ASSIGN_OR_RETURN(data.signer, read_signer(only));
  return data;
}

bool is_signers(const Certificate& certificate, const SignerInfo& signer) {
  if (signer.issuer) {
    return signer.issuer->issuer.same(certificate.issuer()) &&
           equal(signer.issuer->serialNumber, certificate.serial_number());
  }
  const auto ski = certificate.subject_key_identifier();
  return ski && equal(*ski, signer.key_identifier);
}

Bytes id_data_element() {
  der::Writer writer;
  writer.object_identifier(oid::id_data);
  return std::move(writer).take();
}

// RFC 3370 3.2 lets RSA be named without its digest, which stands beside it.
AlgorithmIdentifier with_digest(const AlgorithmIdentifier& algorithm, Digest digest) {
  if (algorithm.algorithm != oid::rsaEncryption) return algorithm;
  const Bytes null = {der::kNull, 0};
  if (digest == Digest::sha384) return {oid::sha384WithRSAEncryption, null};
  if (digest == Digest::sha512) return {oid::sha512WithRSAEncryption, null};
  return {oid::sha256WithRSAEncryption, null};
}

Result<void> check_signature(const SignerInfo& signer, ByteView content,
                             const Certificate& certificate) {
  const auto digest = digest_by_oid(signer.digest.algorithm);
  if (!digest || !is_collision_resistant(*digest)) {
    return hold("the signature has a digest that is not taken", "SHA-2 is");
  }
  der::Writer expected;
  expected.octet_string(hash(*digest, content));
  if (!equal(signer.content_type, id_data_element()) ||
      !equal(signer.message_digest, expected.bytes())) {
    return hold("the signature does not fit the content");
  }
  ASSIGN_OR_RETURN(const auto key, certificate.public_key());
  ASSIGN_OR_RETURN(const auto verdict, verify(key, with_digest(signer.signature_algorithm, *digest),
                                              signer.attributes, signer.signature));
  if (verdict == Verdict::good) return {};
  return hold("the signature does not fit the content");
}

}  // namespace

Result<DetachedSignature> verify_detached(ByteView signature, ByteView content) {
  const auto data = read_signed_data(signature);
  if (!data) return hold("SignedData: " + to_string(data.error()));
  std::optional<Certificate> signer;
  std::vector<Certificate> all;
  for (const auto& octets : data->certificates) {
    auto certificate = Certificate::from_der(octets);
    if (!certificate) continue;  // a helper; the signer's own would be missing then
    if (!signer && is_signers(*certificate, data->signer)) signer = *certificate;
    all.push_back(*std::move(certificate));
  }
  if (!signer) return hold("the signature does not carry the signer's certificate");
  TRY(check_signature(data->signer, content, *signer));
  return DetachedSignature{*std::move(signer), std::move(all)};
}

}  // namespace cmpost
