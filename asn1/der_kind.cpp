#include "asn1/der_kind.h"

#include <vector>

#include "asn1/der.h"

namespace cmpost {
namespace {

// The tags of the elements in a SEQUENCE, at most so many.
constexpr std::size_t kLookedAt = 5;
using Tags = std::vector<der::Tag>;

Tags tags_of(der::Reader reader) {
  Tags tags;
  while (!reader.at_end() && tags.size() < kLookedAt) {
    const auto element = reader.any();
    if (!element) break;
    tags.push_back(element->tag);
  }
  return tags;
}

bool starts(const Tags& tags, std::initializer_list<der::Tag> wanted) {
  return tags.size() >= wanted.size() && std::equal(wanted.begin(), wanted.end(), tags.begin());
}

bool is_time(der::Tag tag) { return tag == der::kUtcTime || tag == der::kGeneralizedTime; }

using namespace der;

// RFC 9810 5.1: "header PKIHeader" begins with pvno and sender, a GeneralName.
bool is_header(const Tags& tags) {
  return tags.size() > 2 && tags[0] == kInteger && (tags[1] & 0xc0U) == 0x80U;
}

// Of the structure that begins with a SEQUENCE of these elements.
DerKind kind_of_signed(const Tags& tags) {
  if (is_header(tags)) return DerKind::pki_message;
  if (starts(tags, {context_constructed(0), kInteger, kSequence, kSequence})) {
    return DerKind::certificate;
  }
  if (starts(tags, {kInteger, kSequence, kSequence, context_constructed(0)})) {
    return DerKind::certification_request;
  }
  if (starts(tags, {kInteger, kSequence, kSequence, kSequence})) return DerKind::certificate;  // v1
  if (tags.size() > 3 && starts(tags, {kInteger, kSequence, kSequence}) && is_time(tags[3])) {
    return DerKind::crl;
  }
  if (tags.size() > 2 && starts(tags, {kSequence, kSequence}) && is_time(tags[2])) {
    return DerKind::crl;  // v1
  }
  return DerKind::unknown;
}

DerKind kind_of_numbered(const Tags& tags, const Tags& second) {
  if (starts(tags, {kInteger, kSequence, kOctetString})) return DerKind::private_key;
  if (starts(tags, {kInteger, kInteger, kInteger})) return DerKind::private_key;  // PKCS#1
  if (starts(tags, {kInteger, kOctetString})) return DerKind::private_key;        // RFC 5915
  if (starts(tags, {kInteger, kSequence}) && starts(second, {kOid, context_constructed(0)})) {
    return DerKind::pkcs12;
  }
  return DerKind::unknown;
}

}  // namespace

DerKind der_kind(ByteView octets) {
  Reader whole(octets);
  auto outer = whole.enter(kSequence);
  if (!outer) return DerKind::unknown;
  const auto tags = tags_of(*outer);
  if (tags.empty()) return DerKind::unknown;
  if (starts(tags, {kOid, context_constructed(0)})) return DerKind::cms;
  Reader elements = *outer;
  if (tags[0] == kInteger) {
    (void)elements.any();
    const auto second = elements.enter(kSequence);
    return kind_of_numbered(tags, second ? tags_of(*second) : Tags());
  }
  const auto first = elements.enter(kSequence);
  if (!first) return DerKind::unknown;
  const auto inner = tags_of(*first);
  const bool algorithm = starts(inner, {kOid});
  if (algorithm && starts(tags, {kSequence, kOctetString})) return DerKind::private_key;
  if (algorithm && starts(tags, {kSequence, kBitString})) return DerKind::public_key;
  return kind_of_signed(inner);
}

std::string_view in_words(DerKind kind) {
  switch (kind) {
    case DerKind::pki_message:
      return "a PKIMessage";
    case DerKind::certification_request:
      return "a PKCS#10 request";
    case DerKind::certificate:
      return "a certificate";
    case DerKind::crl:
      return "a CRL";
    case DerKind::pkcs12:
      return "a PKCS#12 file";
    case DerKind::private_key:
      return "a private key";
    case DerKind::public_key:
      return "a public key";
    case DerKind::cms:
      return "a CMS (PKCS#7) structure";
    case DerKind::unknown:
      break;
  }
  return "something else";
}

}  // namespace cmpost
