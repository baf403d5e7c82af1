#include "cmp/pki_message.h"

#include "cmp/reading.h"
#include "cmp/writing.h"

namespace cmpost {

using der::Parsed;
using der::Reader;
using der::Writer;

std::string DecodeFault::text() const { return "offset " + std::to_string(offset) + ": " + what; }

namespace {

Parsed<Protection> read_protection(Reader& at) {
  ASSIGN_OR_RETURN(const auto bits, at.bit_string());
  return Protection{to_bytes(bits.octets), bits.unused_bits};
}

// SEQUENCE { header, body } around octets that are already there.
Bytes wrapped(ByteView header_and_body) {
  Writer writer;
  writer.primitive(der::kSequence, header_and_body);
  return std::move(writer).take();
}

Parsed<PKIMessage> read_message(Reader& at, const MessageLimits& limits) {
  const auto certificates = [&](Reader& in) {
    return codec::present_list(in, limits.max_extra_certs, codec::read_certificate);
  };
  const Reader start = at;
  PKIMessage message;
  ASSIGN_OR_RETURN(message.header, codec::read_header(at, limits));
  ASSIGN_OR_RETURN(message.body, codec::read_body(at, limits));
  message.protected_part = wrapped(codec::consumed(start, at));
  ASSIGN_OR_RETURN(message.protection,
                   codec::optional_explicit(at, 0, "protection", read_protection));
  ASSIGN_OR_RETURN(auto extraCerts, codec::optional_explicit(at, 1, "extraCerts", certificates));
  if (extraCerts) message.extraCerts = std::move(*extraCerts);
  return message;
}

Parsed<PKIMessage> read_only_message(ByteView input, const MessageLimits& limits) {
  Reader reader(input);
  if (input.size() > limits.max_message) {
    return reader.fault("more than " + std::to_string(limits.max_message) + " octets");
  }
  auto message =
      codec::enclosed(reader, der::kSequence, [&](Reader& at) { return read_message(at, limits); });
  if (!message) return message;
  TRY(reader.finish());
  return message;
}

}  // namespace

std::optional<PKIHeader> readable_header(ByteView input, const MessageLimits& limits) {
  if (input.size() < 2 || input[0] != der::kSequence) return std::nullopt;
  const std::size_t length_octets = input[1] < 0x80 ? 1 : 1 + (input[1] & 0x7fU);
  if (input.size() < 1 + length_octets) return std::nullopt;
  Reader reader(input.subspan(1 + length_octets));
  auto header = codec::read_header(reader, limits);
  if (!header) return std::nullopt;
  return std::move(*header);
}

tl::expected<PKIMessage, DecodeFault> decode(ByteView input, const MessageLimits& limits) {
  auto message = read_only_message(input, limits);
  if (message) return std::move(*message);
  auto& fault = message.error();
  return failure(DecodeFault{fault.offset, std::move(fault.what), readable_header(input, limits)});
}

Parsed<MessageParts> split(ByteView input) {
  Reader reader(input);
  ASSIGN_OR_RETURN(Reader at, reader.enter(der::kSequence));
  TRY(reader.finish());
  MessageParts parts;
  ASSIGN_OR_RETURN(const der::Element header, at.expect(der::kSequence));
  parts.header = header.whole;
  parts.body_tag = at.peek() ^ der::context_constructed(0);
  if (parts.body_tag >= std::variant_size_v<PKIBody>) {
    return at.fault("body: no choice of PKIBody has this tag");
  }
  ASSIGN_OR_RETURN(const der::Element body, at.any());
  parts.body = body.whole;
  ASSIGN_OR_RETURN(const auto protection, at.optional(der::context_constructed(0)));
  if (protection) parts.protection = protection->whole;
  ASSIGN_OR_RETURN(const auto extra_certs, at.optional(der::context_constructed(1)));
  if (extra_certs) parts.extra_certs = extra_certs->whole;
  TRY(at.finish());
  return parts;
}

Bytes encode_protected_part(const PKIHeader& header, const PKIBody& body) {
  constexpr std::size_t kUsual = 512;
  constexpr std::size_t kMore = 8192;  // what encode() adds must not move megabytes
  const auto expected = codec::expected_size(body);
  Writer writer(expected == 0 ? 2 * kUsual : expected + kMore);
  writer.constructed(der::kSequence, expected + kUsual, [&] {
    codec::write_header(writer, header);
    codec::write_body(writer, body);
  });
  return std::move(writer).take();
}

namespace {

void write_protection(Writer& writer, const Protection& protection) {
  codec::explicitly(writer, 0, [&] { writer.bit_string(protection.bits, protection.unused_bits); });
}

void write_extra_certs(Writer& writer, const std::vector<CMPCertificate>& extraCerts) {
  codec::explicitly(writer, 1, [&] {
    codec::list(writer, extraCerts,
                [&](const auto& cert) { codec::write_certificate(writer, cert); });
  });
}

// A message is a ProtectedPart with more in it.
Bytes assemble(Bytes protected_part, const std::optional<Protection>& protection,
               const std::vector<CMPCertificate>& extraCerts, bool write_certs) {
  return Writer::extended(std::move(protected_part), [&](Writer& writer) {
    if (protection) write_protection(writer, *protection);
    if (write_certs) write_extra_certs(writer, extraCerts);
  });
}

}  // namespace

Bytes encode(Bytes protected_part, const std::optional<Protection>& protection,
             const std::vector<CMPCertificate>& extraCerts) {
  return assemble(std::move(protected_part), protection, extraCerts, !extraCerts.empty());
}

Bytes encode(const PKIMessage& message) {
  if (message.protected_part.empty()) return encode_again(message);
  return assemble(message.protected_part, message.protection, message.extraCerts,
                  message.extraCerts.present());
}

Bytes encode_again(const PKIMessage& message) {
  return assemble(encode_protected_part(message.header, message.body), message.protection,
                  message.extraCerts, message.extraCerts.present());
}

}  // namespace cmpost
