#include "mime/wrapping.h"

#include <algorithm>
#include <array>

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
  if (same_word(type, "enveloped-data") || same_word(type, "authEnveloped-data")) {
    return Wrapped::enveloped;
  }
  if (same_word(type, "signed-data")) return Wrapped::opaque_signed;
  return type.empty() ? by_content(mail) : Wrapped::no;
}

bool is_pkcs7_mime(std::string_view type) {
  return type == "application/pkcs7-mime" || type == "application/x-pkcs7-mime";
}

}  // namespace

Wrapped wrapping_of(const ScannedPart& mail) {
  const auto& type = mail.type;
  if (is_pkcs7_mime(type.value)) return by_smime_type(mail, type.parameter("smime-type"));
  if (type.value == "multipart/signed") {
    const auto protocol = type.parameter("protocol");
    const bool smime = same_word(protocol, "application/pkcs7-signature") ||
                       same_word(protocol, "application/x-pkcs7-signature");
    return smime ? Wrapped::clear_signed : Wrapped::no;
  }
  // RFC 8551 3.2.1: a gateway may have lost the type, the name still tells.
  if (type.value == "application/octet-stream" &&
      ends_with_word(file_name_of(type, mail.disposition), ".p7m")) {
    return by_content(mail);
  }
  return Wrapped::no;
}

}  // namespace cmpost
