#include "asn1/extension_values.h"

#include "asn1/der.h"
#include "base/result.h"

namespace cmpost {
namespace {

der::Parsed<std::uint32_t> read_key_usage(der::Reader reader) {
  ASSIGN_OR_RETURN(const der::Reader::BitString bits, reader.bit_string());
  TRY(reader.finish());
  std::uint32_t set = 0;
  for (std::size_t i = 0; i < 32 && i < bits.octets.size() * 8; ++i) {
    if ((bits.octets[i / 8] & 0x80 >> i % 8) != 0) set |= std::uint32_t{1} << i;
  }
  return set;
}

der::Parsed<bool> read_basic_constraints(der::Reader reader) {
  ASSIGN_OR_RETURN(der::Reader inside, reader.enter(der::kSequence));
  TRY(reader.finish());
  bool ca = false;
  if (inside.peek() == der::kBoolean) {
    ASSIGN_OR_RETURN(ca, inside.boolean());
  }
  if (inside.peek() == der::kInteger) TRY(inside.integer());
  TRY(inside.finish());
  return ca;
}

der::Parsed<std::vector<Oid>> read_key_purposes(der::Reader reader) {
  ASSIGN_OR_RETURN(der::Reader inside, reader.enter(der::kSequence));
  TRY(reader.finish());
  std::vector<Oid> purposes;
  while (!inside.at_end()) {
    ASSIGN_OR_RETURN(const Oid purpose, inside.object_identifier());
    purposes.push_back(purpose);
  }
  return purposes;
}

der::Parsed<Bytes> read_subject_key_identifier(der::Reader reader) {
  ASSIGN_OR_RETURN(const ByteView identifier, reader.octet_string());
  TRY(reader.finish());
  return to_bytes(identifier);
}

der::Parsed<std::optional<Bytes>> read_authority_key_identifier(der::Reader reader) {
  ASSIGN_OR_RETURN(der::Reader inside, reader.enter(der::kSequence));
  TRY(reader.finish());
  ASSIGN_OR_RETURN(const std::optional<der::Element> identifier, inside.optional(der::context(0)));
  if (!identifier) return std::optional<Bytes>();
  return std::optional(to_bytes(identifier->content));
}

template <typename T>
std::optional<T> well_formed(der::Parsed<T> parsed) {
  if (!parsed) return std::nullopt;
  return *std::move(parsed);
}

}  // namespace

std::optional<std::uint32_t> key_usage_bits(ByteView extnValue) {
  return well_formed(read_key_usage(der::Reader(extnValue)));
}

std::optional<bool> basic_constraints_ca(ByteView extnValue) {
  return well_formed(read_basic_constraints(der::Reader(extnValue)));
}

std::optional<std::vector<Oid>> key_purposes(ByteView extnValue) {
  return well_formed(read_key_purposes(der::Reader(extnValue)));
}

std::optional<Bytes> subject_key_identifier_value(ByteView extnValue) {
  return well_formed(read_subject_key_identifier(der::Reader(extnValue)));
}

std::optional<Bytes> authority_key_identifier_value(ByteView extnValue) {
  return well_formed(read_authority_key_identifier(der::Reader(extnValue))).value_or(std::nullopt);
}

}  // namespace cmpost
