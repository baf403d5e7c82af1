#include "crypto/envelope/envelope_attributes.h"

namespace cmpost {
namespace {

constexpr std::size_t kMostAttributes = 16;

der::Parsed<std::optional<Bytes>> read_local_key_id(der::Reader& attribute) {
  static const Oid localKeyId("1.2.840.113549.1.9.21");
  ASSIGN_OR_RETURN(der::Reader at, attribute.enter(der::kSequence));
  ASSIGN_OR_RETURN(const Oid type, at.object_identifier());
  ASSIGN_OR_RETURN(der::Reader values, at.enter(der::kSet));
  TRY(at.finish());
  if (type != localKeyId) return std::nullopt;
  ASSIGN_OR_RETURN(const ByteView value, values.octet_string());
  TRY(values.finish());
  return to_bytes(value);
}

der::Parsed<std::optional<Bytes>> find_local_key_id(ByteView enveloped) {
  der::Reader reader(enveloped);
  ASSIGN_OR_RETURN(der::Reader at, reader.enter(der::kSequence));
  TRY(at.integer());
  TRY(at.optional(der::context_constructed(0)));  // originatorInfo
  TRY(at.expect(der::kSet));                      // recipientInfos
  TRY(at.expect(der::kSequence));                 // encryptedContentInfo
  ASSIGN_OR_RETURN(auto attributes, at.enter_optional(der::context_constructed(1)));
  if (!attributes) return std::nullopt;
  for (std::size_t i = 0; i < kMostAttributes && !attributes->at_end(); ++i) {
    ASSIGN_OR_RETURN(auto found, read_local_key_id(*attributes));
    if (found) return found;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Bytes> local_key_id(ByteView enveloped) {
  return find_local_key_id(enveloped).value_or(std::nullopt);
}

}  // namespace cmpost
