#include "cmp/reading.h"

#include <limits>

#include "cmp/writing.h"

namespace cmpost::codec {

Parsed<Bytes> whole(Reader& reader, der::Tag tag) {
  ASSIGN_OR_RETURN(const der::Element element, reader.expect(tag));
  return to_bytes(element.whole);
}

Parsed<Bytes> octets(Reader& reader, std::size_t limit) {
  const Reader start = reader;
  ASSIGN_OR_RETURN(const ByteView content, reader.octet_string());
  if (content.size() > limit) return start.fault("more than " + std::to_string(limit) + " octets");
  return to_bytes(content);
}

Parsed<int> small_integer(Reader& reader, der::Tag tag) {
  const Reader start = reader;
  ASSIGN_OR_RETURN(const std::int64_t value, reader.integer(tag));
  using Limits = std::numeric_limits<int>;
  if (value < Limits::min() || value > Limits::max()) return start.fault("INTEGER is too large");
  return static_cast<int>(value);
}

// A time has microseconds and a calendar; a finer fraction would be lost.
Parsed<Time> exact_time(Reader& reader) {
  const Reader start = reader;
  ASSIGN_OR_RETURN(const Time time, reader.generalized_time());
  Writer again;
  write_time(again, time);
  if (!equal(again.bytes(), consumed(start, reader))) {
    return start.fault("GeneralizedTime is finer than a microsecond");
  }
  return time;
}

namespace {

// `critical` is DEFAULT FALSE, and X.690 11.5 wants a default left out: what spells it all the same
// could not be written back.
Parsed<Extension> read_exact_extension(Reader& reader) {
  const Reader start = reader;
  ASSIGN_OR_RETURN(Extension extension, read_extension(reader));
  Writer again;
  write(again, extension);
  if (!equal(again.bytes(), consumed(start, reader))) {
    return start.fault("critical FALSE is spelled out");
  }
  return extension;
}

}  // namespace

Parsed<Extensions> read_extensions(Reader& reader, const MessageLimits& limits, der::Tag tag) {
  return list(reader, limits.max_extensions, read_exact_extension, tag);
}

Parsed<CMPCertificate> read_certificate(Reader& reader) {
  ASSIGN_OR_RETURN(Bytes der, whole_sequence(reader));
  return CMPCertificate{std::move(der)};
}

}  // namespace cmpost::codec
