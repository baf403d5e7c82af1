#include "asn1/pem.h"
#include "crypto/x509/certificate.h"
#include "crypto/x509/x509_parts.h"

namespace cmpost {
namespace {

// Attribute ::= SEQUENCE { type, values SET OF }.
struct Attribute {
  Oid type;
  std::optional<Extensions> extensions;  // of extensionRequest
};

der::Parsed<Attribute> read_attribute(der::Reader& attributes) {
  ASSIGN_OR_RETURN(der::Reader attribute, attributes.enter(der::kSequence));
  ASSIGN_OR_RETURN(Oid type, attribute.object_identifier());
  ASSIGN_OR_RETURN(der::Reader values, attribute.enter(der::kSet));
  TRY(attribute.finish());
  if (type != oid::id_extensionRequest) return Attribute{std::move(type), std::nullopt};
  // RFC 2985 5.4.2: "SINGLE VALUE TRUE".
  ASSIGN_OR_RETURN(Extensions extensions, read_extensions(values));
  TRY(values.finish());
  return Attribute{std::move(type), std::move(extensions)};
}

der::Parsed<void> read_attributes(CertificationRequest& request, der::Reader attributes) {
  bool found = false;
  while (!attributes.at_end()) {
    ASSIGN_OR_RETURN(auto attribute, read_attribute(attributes));
    request.attributes.push_back(std::move(attribute.type));
    if (!attribute.extensions) continue;
    if (found) return attributes.fault("extensionRequest appears twice");
    found = true;
    request.extensions = *std::move(attribute.extensions);
  }
  return {};
}

der::Parsed<void> read_info(CertificationRequest& request, der::Reader info) {
  ASSIGN_OR_RETURN(request.version, info.integer());
  if (request.version != 0) return info.fault("unknown version of CertificationRequest");
  ASSIGN_OR_RETURN(request.subject, Name::read(info));
  ASSIGN_OR_RETURN(request.spki, read_spki(info));
  // [0] is not OPTIONAL, but who has no attributes often leaves it out.
  ASSIGN_OR_RETURN(const auto attributes, info.enter_optional(der::context_constructed(0)));
  if (attributes) TRY(read_attributes(request, *attributes));
  return info.finish();
}

Result<CertificationRequest> from_der(ByteView der) {
  der::Reader reader(der);
  auto request = read_certification_request(reader);
  if (!request) return hold("certification request: " + to_string(request.error()));
  if (const auto end = reader.finish(); !end) {
    return hold("certification request: " + to_string(end.error()));
  }
  return *std::move(request);
}

}  // namespace

der::Parsed<CertificationRequest> read_certification_request(der::Reader& reader) {
  const der::Reader outer = reader;
  ASSIGN_OR_RETURN(Signed parts, read_signed(reader));
  CertificationRequest request;
  request.der = to_bytes(parts.whole.whole);
  request.info = to_bytes(parts.toBeSigned.whole);
  request.signatureAlgorithm = std::move(parts.signatureAlgorithm);
  request.signature = to_bytes(parts.signature);
  TRY(read_info(request, outer.inside(parts.toBeSigned)));
  return request;
}

Result<CertificationRequest> certification_request_from_pem_or_der(ByteView input) {
  if (!input.empty() && input[0] == der::kSequence) return from_der(input);
  ASSIGN_OR_RETURN(const auto blocks, pem_blocks(text_of(input)));
  for (const auto& block : blocks) {
    if (block.label != "CERTIFICATE REQUEST" && block.label != "NEW CERTIFICATE REQUEST") continue;
    ASSIGN_OR_RETURN(const Bytes der, decode(block));
    return from_der(der);
  }
  if (blocks.empty()) return hold("no certification request: neither DER nor PEM");
  return hold("no certification request: found " + printable(blocks[0].label, 40));
}

}  // namespace cmpost
