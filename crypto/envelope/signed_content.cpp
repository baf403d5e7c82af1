// SignedData, written (RFC 5652 5, RFC 8933).
#include <algorithm>
#include <functional>

#include "crypto/envelope/envelope.h"

namespace cmpost {
namespace {

Bytes attribute(const Oid& type, const std::function<void(der::Writer&)>& value) {
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    writer.object_identifier(type);
    writer.constructed(der::kSet, [&] { value(writer); });
  });
  return std::move(writer).take();
}

// The content of a SET OF: in DER its elements are sorted (X.690 11.6).
Bytes signed_attributes(const Oid& content_type, ByteView digest) {
  std::vector<Bytes> attributes = {
      attribute(oid::id_contentType, [&](der::Writer& w) { w.object_identifier(content_type); }),
      attribute(oid::id_messageDigest, [&](der::Writer& w) { w.octet_string(digest); })};
  std::ranges::sort(attributes);
  Bytes all;
  for (const auto& one : attributes) append(all, one);
  return all;
}

Result<Bytes> sign_attributes(const Bytes& attributes, const Signer& signer) {
  der::Writer set;
  set.primitive(der::kSet, attributes);
  return signer.sign(set.bytes());
}

enum class ContentPlace { inside, elsewhere };

Result<Bytes> signed_data(ByteView content, ContentPlace place, const Oid& content_type,
                          const Signer& signer, const std::vector<Certificate>& certificates) {
  if (certificates.empty()) return hold("a SignedData needs the certificate of its signer");
  ASSIGN_OR_RETURN(const auto scheme, signature_scheme(signer.algorithm()));
  const AlgorithmIdentifier digest{oid_of(scheme.digest), {}};
  const auto attributes = signed_attributes(content_type, hash(scheme.digest, content));
  ASSIGN_OR_RETURN(const auto signature, sign_attributes(attributes, signer));
  const auto ski = certificates.front().subject_key_identifier();
  if (!ski) return hold("the signer's certificate has no subjectKeyIdentifier");
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    writer.integer(3);
    writer.constructed(der::kSet, [&] { write(writer, digest); });
    writer.constructed(der::kSequence, [&] {
      writer.object_identifier(content_type);
      if (place == ContentPlace::elsewhere) return;
      writer.constructed(der::context_constructed(0), [&] { writer.octet_string(content); });
    });
    writer.constructed(der::context_constructed(0), [&] {
      for (const auto& certificate : certificates) writer.raw(certificate.der());
    });
    writer.constructed(der::kSet, [&] {
      writer.constructed(der::kSequence, [&] {
        writer.integer(3);
        writer.octet_string(*ski, der::context(0));
        write(writer, digest);
        writer.primitive(der::context_constructed(0), attributes);
        write(writer, signer.algorithm());
        writer.octet_string(signature);
      });
    });
  });
  return std::move(writer).take();
}

}  // namespace

Result<Bytes> sign_content(ByteView content, const Oid& content_type, const Signer& signer,
                           const std::vector<Certificate>& certificates) {
  return signed_data(content, ContentPlace::inside, content_type, signer, certificates);
}

Result<Bytes> sign_detached(ByteView content, const Signer& signer,
                            const std::vector<Certificate>& certificates) {
  ASSIGN_OR_RETURN(const auto data, signed_data(content, ContentPlace::elsewhere, oid::id_data,
                                                signer, certificates));
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    writer.object_identifier(oid::id_signedData);
    writer.constructed(der::context_constructed(0), [&] { writer.raw(data); });
  });
  return std::move(writer).take();
}

}  // namespace cmpost
