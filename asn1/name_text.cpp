#include "asn1/name_text.h"

#include <algorithm>
#include <utility>

#include "asn1/der_form.h"
#include "base/ascii.h"
#include "base/printable.h"

namespace cmpost {
namespace {

// The first spelling of a type is the one that we print.
constexpr std::pair<std::string_view, const Oid*> kShortNames[] = {
    {"CN", &oid::id_at_commonName},
    {"C", &oid::id_at_countryName},
    {"O", &oid::id_at_organizationName},
    {"OU", &oid::id_at_organizationalUnitName},
    {"L", &oid::id_at_localityName},
    {"ST", &oid::id_at_stateOrProvinceName},
    {"STREET", &oid::id_at_streetAddress},
    {"DC", &oid::id_at_domainComponent},
    {"UID", &oid::id_at_userID},
    {"serialNumber", &oid::id_at_serialNumber},
    {"emailAddress", &oid::id_at_emailAddress},
    {"GN", &oid::id_at_givenName},
    {"SN", &oid::id_at_surname},
    {"title", &oid::id_at_title},
    {"pseudonym", &oid::id_at_pseudonym},
    {"dnQualifier", &oid::id_at_dnQualifier},
    {"commonName", &oid::id_at_commonName},
    {"countryName", &oid::id_at_countryName},
    {"organizationName", &oid::id_at_organizationName},
    {"organizationalUnitName", &oid::id_at_organizationalUnitName},
    {"localityName", &oid::id_at_localityName},
    {"stateOrProvinceName", &oid::id_at_stateOrProvinceName},
    {"S", &oid::id_at_stateOrProvinceName},
    {"domainComponent", &oid::id_at_domainComponent},
    {"userId", &oid::id_at_userID},
    {"email", &oid::id_at_emailAddress},
    {"E", &oid::id_at_emailAddress},
    {"givenName", &oid::id_at_givenName},
    {"surname", &oid::id_at_surname},
};

void append_utf8(std::string& text, std::uint32_t code) {
  const auto tail = [code](unsigned shift) {
    return static_cast<char>(0x80 | (code >> shift & 0x3f));
  };
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += {static_cast<char>(0xc0 | code >> 6), tail(0)};
  } else if (code < 0x10000) {
    text += {static_cast<char>(0xe0 | code >> 12), tail(6), tail(0)};
  } else {
    text += {static_cast<char>(0xf0 | code >> 18), tail(12), tail(6), tail(0)};
  }
}

// Characters of `width` octets each, big-endian: Latin-1 for T.61 (as everybody does), BMPString
// and UniversalString.
std::optional<std::string> from_fixed_width(ByteView content, std::size_t width) {
  if (content.size() % width != 0) return std::nullopt;
  std::string text;
  for (; !content.empty(); content = content.subspan(width)) {
    std::uint32_t code = 0;
    for (const auto octet : content.first(width)) code = code << 8 | octet;
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return std::nullopt;
    append_utf8(text, code);
  }
  return text;
}

std::optional<std::string> from_ascii(ByteView content) {
  const auto is_ascii = [](std::uint8_t octet) { return octet < 0x80; };
  if (!std::all_of(content.begin(), content.end(), is_ascii)) return std::nullopt;
  return std::string(text_of(content));
}

std::optional<std::string> from_utf8(const der::Element& value) {
  auto text = der::Reader(value.whole).utf8_string(value.tag);
  if (!text) return std::nullopt;
  return *std::move(text);
}

void append_hex_escape(std::string& text, char c) {
  text += '\\';
  text += to_hex(view_of(std::string_view(&c, 1)));
}

// RFC 4514 2.4: what has to have a backslash at this place of a value.
bool is_special(char c, bool first, bool last) {
  return std::string_view("\"+,;<>\\").find(c) != std::string_view::npos || (first && c == '#') ||
         ((first || last) && c == ' ');
}

// Most values are letters and digits.
bool is_harmless(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  });
}

std::string escaped(std::string_view value) {
  if (is_harmless(value)) return std::string(value);
  std::string text;
  for (auto rest = value; !rest.empty();) {
    const auto shown = printable_length(rest);
    const auto character = rest.substr(0, std::max<std::size_t>(utf8_length(rest), 1));
    if (shown == 0) {
      for (const char c : character) append_hex_escape(text, c);
    } else {
      const bool first = rest.size() == value.size();
      if (is_special(rest.front(), first, rest.size() == 1)) text += '\\';
      text += character;
    }
    rest.remove_prefix(character.size());
  }
  return text;
}

}  // namespace

std::optional<std::string> directory_string(const der::Element& value) {
  switch (value.tag) {
    case der::kUtf8String:
      return from_utf8(value);
    case der::kNumericString:
    case der::kPrintableString:
    case der::kIa5String:
    case der::kVisibleString:
      return from_ascii(value.content);
    case der::kTeletexString:
      return from_fixed_width(value.content, 1);
    case der::kBmpString:
      return from_fixed_width(value.content, 2);
    case der::kUniversalString:
      return from_fixed_width(value.content, 4);
    default:
      return std::nullopt;
  }
}

std::string attribute_text(const Oid& type, const der::Element& value) {
  const auto text = directory_string(value);
  for (const auto& [name, known] : kShortNames) {
    if (*known != type) continue;
    return std::string(name) + "=" + (text ? escaped(*text) : "#" + to_hex(value.whole));
  }
  // RFC 4514 2.4: a type in dotted form has the hexadecimal form of its value.
  return type.dotted() + "=#" + to_hex(value.whole);
}

std::optional<Oid> attribute_type(std::string_view text) {
  for (const auto& [name, known] : kShortNames) {
    if (same_letters(name, text)) return *known;
  }
  return Oid::from_dotted(text);
}

}  // namespace cmpost
