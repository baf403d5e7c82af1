// CertReqMessages (RFC 4211 3 to 5). The module has IMPLICIT TAGS, but a tag in front of a CHOICE
// (Name, Time, GeneralName, POPOPrivKey) is explicit all the same, X.680 31.2.7.
#include "cmp/reading.h"
#include "cmp/writing.h"

namespace cmpost::codec {
namespace {

// How many controls, or regInfo attributes, one request may have.
constexpr std::size_t kMaxAttributes = 64;

struct CrmfTime {
  Time time;
  bool generalized;
};

Parsed<CrmfTime> read_crmf_time(Reader& at) {
  const Reader start = at;
  if (at.peek() == der::kUtcTime) {
    ASSIGN_OR_RETURN(const Time time, at.utc_time());
    return CrmfTime{time, false};
  }
  ASSIGN_OR_RETURN(const Time time, exact_time(at));
  Writer usual;
  usual.x509_time(time);
  const auto received = consumed(start, at);
  return CrmfTime{time, !equal(usual.bytes(), received)};
}

Parsed<OptionalValidity> read_validity(Reader& reader) {
  const auto read = [](Reader& at) -> Parsed<OptionalValidity> {
    OptionalValidity validity;
    ASSIGN_OR_RETURN(const auto from, optional_explicit(at, 0, "notBefore", read_crmf_time));
    ASSIGN_OR_RETURN(const auto until, optional_explicit(at, 1, "notAfter", read_crmf_time));
    if (from) validity.notBefore = from->time;
    if (from) validity.notBefore_generalized = from->generalized;
    if (until) validity.notAfter = until->time;
    if (until) validity.notAfter_generalized = until->generalized;
    return validity;
  };
  return enclosed(reader, der::context_constructed(4), read);
}

Parsed<SubjectPublicKeyInfo> read_implicit_spki(Reader& at, der::Tag tag) {
  ASSIGN_OR_RETURN(SubjectPublicKeyInfo key, read_spki(at, tag));
  key.der[0] = der::kSequence;
  return key;
}

// UniqueIdentifier is a BIT STRING.
Parsed<Bytes> read_unique_identifier(Reader& at) {
  const Reader start = at;
  TRY(at.bit_string(at.peek()));
  return to_bytes(consumed(start, at));
}

Parsed<CertTemplate> read_template_fields(Reader& at, const MessageLimits& limits) {
  using der::context;
  using der::context_constructed;
  const auto version = [](Reader& in) { return in.integer(context(0)); };
  const auto serial = [](Reader& in) { return in.big_integer(context(1)); };
  const auto algorithm = [](Reader& in) { return read_algorithm(in, context_constructed(2)); };
  const auto key = [](Reader& in) { return read_implicit_spki(in, context_constructed(6)); };
  const auto extensions = [&](Reader& in) {
    return read_extensions(in, limits, context_constructed(9));
  };
  CertTemplate t;
  ASSIGN_OR_RETURN(t.version, optional(at, context(0), "version", version));
  ASSIGN_OR_RETURN(t.serialNumber, optional(at, context(1), "serialNumber", serial));
  ASSIGN_OR_RETURN(t.signingAlg, optional(at, context_constructed(2), "signingAlg", algorithm));
  ASSIGN_OR_RETURN(t.issuer, optional_explicit(at, 3, "issuer", Name::read));
  ASSIGN_OR_RETURN(t.validity, optional(at, context_constructed(4), "validity", read_validity));
  ASSIGN_OR_RETURN(t.subject, optional_explicit(at, 5, "subject", Name::read));
  ASSIGN_OR_RETURN(t.publicKey, optional(at, context_constructed(6), "publicKey", key));
  ASSIGN_OR_RETURN(t.issuerUID, optional(at, context(7), "issuerUID", read_unique_identifier));
  ASSIGN_OR_RETURN(t.subjectUID, optional(at, context(8), "subjectUID", read_unique_identifier));
  ASSIGN_OR_RETURN(t.extensions, optional(at, context_constructed(9), "extensions", extensions));
  return t;
}

Parsed<Attribute> read_attribute(Reader& reader) {
  return enclosed(reader, der::kSequence, [](Reader& at) -> Parsed<Attribute> {
    Attribute attribute;
    ASSIGN_OR_RETURN(attribute.type, named("type", at.object_identifier()));
    if (at.at_end()) return attribute;
    ASSIGN_OR_RETURN(const der::Element value, named("value", at.any()));
    attribute.value = to_bytes(value.whole);
    return attribute;
  });
}

}  // namespace

Parsed<std::vector<Attribute>> read_attributes(Reader& reader) {
  return list(reader, kMaxAttributes, read_attribute);
}

namespace {

bool begins_proof(der::Tag tag) {
  return tag == der::context(0) ||
         (tag >= der::context_constructed(1) && tag <= der::context_constructed(3));
}

Parsed<CertReqMsg> read_cert_req_msg(Reader& reader, const MessageLimits& limits) {
  return enclosed(reader, der::kSequence, [&](Reader& at) -> Parsed<CertReqMsg> {
    CertReqMsg message;
    ASSIGN_OR_RETURN(message.certReq, named("certReq", read_cert_request(at, limits)));
    if (begins_proof(at.peek())) {
      ASSIGN_OR_RETURN(message.popo, named("popo", read_proof_of_possession(at)));
    }
    ASSIGN_OR_RETURN(message.regInfo, optional(at, der::kSequence, "regInfo", read_attributes));
    return message;
  });
}

}  // namespace

Parsed<CertTemplate> read_cert_template(Reader& reader, const MessageLimits& limits) {
  return enclosed(reader, der::kSequence,
                  [&](Reader& at) { return read_template_fields(at, limits); });
}

Parsed<CertRequest> read_cert_request(Reader& reader, const MessageLimits& limits) {
  const Reader start = reader;
  auto request = enclosed(reader, der::kSequence, [&](Reader& at) -> Parsed<CertRequest> {
    CertRequest fields;
    ASSIGN_OR_RETURN(fields.certReqId, named("certReqId", at.integer()));
    ASSIGN_OR_RETURN(fields.certTemplate, named("certTemplate", read_cert_template(at, limits)));
    ASSIGN_OR_RETURN(fields.controls, optional(at, der::kSequence, "controls", read_attributes));
    return fields;
  });
  if (!request) return request;
  request->der = to_bytes(consumed(start, reader));
  return request;
}

Parsed<CertReqMessages> read_cert_requests(Reader& reader, const MessageLimits& limits) {
  return list(reader, limits.max_cert_requests,
              [&](Reader& at) { return read_cert_req_msg(at, limits); });
}

Parsed<CertId> read_cert_id(Reader& reader) {
  return enclosed(reader, der::kSequence, [](Reader& at) -> Parsed<CertId> {
    CertId id;
    ASSIGN_OR_RETURN(id.issuer, named("issuer", read_general_name(at)));
    ASSIGN_OR_RETURN(id.serialNumber, named("serialNumber", at.big_integer()));
    return id;
  });
}

}  // namespace cmpost::codec
