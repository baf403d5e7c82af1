#include "mime/wrapping.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "mime/lines.h"
#include "mime/text.h"

namespace cmpost {

namespace {

using Wrapped = IncomingMail::Wrapped;

// ContentInfo starts with its contentType (RFC 5652 3); indefinite lengths are usual here, so the
// OID is looked for among the first octets.
constexpr std::size_t kContentTypeWithin = 32;
constexpr std::array<std::uint8_t, 11> kSignedData = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                                      0xf7, 0x0d, 0x01, 0x07, 0x02};
constexpr std::array<std::uint8_t, 11> kEnvelopedData = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                                         0xf7, 0x0d, 0x01, 0x07, 0x03};
constexpr std::array<std::uint8_t, 13> kAuthEnvelopedData = {
    0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x17};

bool has_oid(ByteView start, ByteView oid) {
  return std::search(start.begin(), start.end(), oid.begin(), oid.end()) != start.end();
}

Wrapped by_content(const ScannedPart& mail) {
  const auto octets = decode_body(mail.encoding, view_of(mail.body));
  if (!octets) return Wrapped::no;
  const auto start = ByteView(*octets).first(std::min(octets->size(), kContentTypeWithin));
  if (has_oid(start, kEnvelopedData) || has_oid(start, kAuthEnvelopedData)) {
    return Wrapped::enveloped;
  }
  return has_oid(start, kSignedData) ? Wrapped::opaque_signed : Wrapped::no;
}

// RFC 8551 3.2.2. compressed-data and certs-only wrap no mail that we would open.
Wrapped by_smime_type(const ScannedPart& mail, std::string_view type) {
  if (same_letters(type, "enveloped-data") || same_letters(type, "authEnveloped-data")) {
    return Wrapped::enveloped;
  }
  if (same_letters(type, "signed-data")) return Wrapped::opaque_signed;
  return type.empty() ? by_content(mail) : Wrapped::no;
}

bool is_pkcs7_mime(std::string_view type) {
  return type == "application/pkcs7-mime" || type == "application/x-pkcs7-mime";
}

bool is_smime_signature(std::string_view type) {
  return same_letters(type, "application/pkcs7-signature") ||
         same_letters(type, "application/x-pkcs7-signature");
}

Result<Bytes> decoded_cms(const ScannedPart& part) {
  auto octets = decode_body(part.encoding, view_of(part.body));
  if (octets && !octets->empty()) return *std::move(octets);
  return hold("the S/MIME part " + part.path + " is damaged: its body is not in its encoding",
              "ask the sender to send it again; a gateway may have changed the mail");
}

// RFC 8551 3.1.1: "the canonical form [...] uses <CR><LF> as line endings". A mail that lies in a
// file has often lost them.
Bytes with_canonical_lines(std::string_view text) {
  Bytes result;
  result.reserve(text.size() + text.size() / 32);
  for (Lines lines(text); !lines.at_end();) {
    const auto line = lines.next();
    append(result, view_of(line.text));
    const bool ended = lines.between(line.begin, line.end).ends_with('\n');
    if (ended) append(result, view_of("\r\n"));
  }
  return result;
}

// RFC 1847 2.1: "The multipart/signed content type contains exactly two body parts."
Result<WrappedContent> clear_signed_content(const std::vector<ScannedPart>& parts) {
  std::vector<const ScannedPart*> children;
  for (const auto& part : parts) {
    if (part.depth == parts.front().depth + 1) children.push_back(&part);
  }
  if (children.size() != 2 || !is_smime_signature(children[1]->type.value)) {
    return hold("a multipart/signed is not one content and one signature");
  }
  ASSIGN_OR_RETURN(auto cms, decoded_cms(*children[1]));
  return WrappedContent{std::move(cms), with_canonical_lines(children[0]->whole)};
}

}  // namespace

Wrapped wrapping_of(const ScannedPart& mail) {
  const auto& type = mail.type;
  if (is_pkcs7_mime(type.value)) return by_smime_type(mail, type.parameter("smime-type"));
  if (type.value == "multipart/signed") {
    const auto protocol = type.parameter("protocol");
    return is_smime_signature(protocol) ? Wrapped::clear_signed : Wrapped::no;
  }
  // RFC 8551 3.2.1: a gateway may have lost the type, the name still tells.
  if (type.value == "application/octet-stream" &&
      ends_with_letters(file_name_of(type, mail.disposition), ".p7m")) {
    return by_content(mail);
  }
  return Wrapped::no;
}

Result<WrappedContent> read_wrapped(ByteView raw, const MailLimits& limits) {
  ASSIGN_OR_RETURN(const auto parts, scan(raw, limits));
  switch (wrapping_of(parts.front())) {
    case Wrapped::clear_signed:
      return clear_signed_content(parts);
    case Wrapped::enveloped:
    case Wrapped::opaque_signed: {
      ASSIGN_OR_RETURN(auto cms, decoded_cms(parts.front()));
      return WrappedContent{std::move(cms), std::nullopt};
    }
    case Wrapped::no:
      break;
  }
  return hold("the mail is not S/MIME");
}

}  // namespace cmpost
