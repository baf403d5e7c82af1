#include "mime/scanned_part.h"

#include <algorithm>
#include <utility>

namespace cmpost {

namespace {

Result<ContentField> read_field_of(const Header& header, std::string_view name) {
  const auto value = header.only(name);
  if (!value) return ContentField{};
  auto field = read_content_field(*value);
  if (!field) return hold(std::string(name) + " " + field.error().what);
  return field;
}

Result<ContentField> read_type(const Header& header, bool in_digest) {
  ASSIGN_OR_RETURN(auto type, read_field_of(header, "Content-Type"));
  if (type.value.empty()) {
    // RFC 2046 5.1.5 changes the default to message/rfc822, and not everybody knows.
    if (in_digest) return hold("a part of a multipart/digest does not say its type");
    type.value = "text/plain";
  } else if (type.value.find('/') == type.value.npos) {
    return hold("Content-Type has no subtype");
  }
  return type;
}

ScannedPart::Kind kind_of(const ContentField& type) {
  if (type.value.starts_with("multipart/")) return ScannedPart::Kind::multipart;
  return type.value == "message/rfc822" ? ScannedPart::Kind::message : ScannedPart::Kind::leaf;
}

bool has_odd_boundary(const ContentField& type) {
  return std::ranges::any_of(type.parameters, [](const Parameter& parameter) {
    return parameter.name == "boundary" && parameter.extended;
  });
}

}  // namespace

Result<ScannedPart> described_part(Header header, bool in_digest) {
  ScannedPart part;
  ASSIGN_OR_RETURN(part.type, read_type(header, in_digest));
  ASSIGN_OR_RETURN(part.disposition, read_field_of(header, "Content-Disposition"));
  if (const auto encoding = header.only("Content-Transfer-Encoding")) {
    part.encoding = read_transfer_encoding(*encoding);
  }
  part.kind = kind_of(part.type);
  part.header = std::move(header);
  const bool plain =
      part.encoding == TransferEncoding::absent || part.encoding == TransferEncoding::identity;
  if (part.kind != ScannedPart::Kind::leaf && !plain) {
    return hold("a part of type " + part.type.value + " is encoded");
  }
  if (part.kind == ScannedPart::Kind::multipart && has_odd_boundary(part.type)) {
    return hold("a multipart has its boundary in pieces or encoded");
  }
  return part;
}

}  // namespace cmpost
