#include <algorithm>
#include <utility>

#include "asn1/name_text.h"

namespace cmpost {
namespace {

constexpr std::size_t kMaxText = 8192;

struct Syntax {
  char separator;              // between RDNs
  std::string_view forbidden;  // characters that a value must escape
};
constexpr Syntax kRfc4514{',', "\";<>"};
constexpr Syntax kSlashes{'/', ""};

std::string in_quotes(std::string_view text) { return "'" + printable(text) + "'"; }

auto malformed(std::string_view part, const std::string& why, std::string hint = {}) {
  return hold("name part " + in_quotes(part) + ": " + why, std::move(hint));
}

// Splits at each `separator` that no backslash precedes.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == separator) {
      parts.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  parts.push_back(text.substr(begin));
  return parts;
}

// Without blanks at the ends; an escaped blank at the end stays.
std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') {
    std::size_t backslashes = 0;
    while (backslashes + 1 < text.size() && text[text.size() - 2 - backslashes] == '\\') {
      ++backslashes;
    }
    if (backslashes % 2 == 1) break;
    text.remove_suffix(1);
  }
  return text;
}

// What a backslash at the start of `text` stands for, and how long it is.
std::optional<std::pair<char, std::size_t>> unescape_one(std::string_view text) {
  if (text.size() >= 3) {
    if (const auto octet = from_hex(text.substr(1, 2))) {
      return std::pair(static_cast<char>(octet->front()), std::size_t{3});
    }
  }
  if (text.size() < 2 ||
      std::string_view(" \"#+,;<=>\\/").find(text[1]) == std::string_view::npos) {
    return std::nullopt;
  }
  return std::pair(text[1], std::size_t{2});
}

Result<std::string> unescape(std::string_view value, const Syntax& syntax) {
  std::string text;
  while (!value.empty()) {
    if (syntax.forbidden.find(value[0]) != std::string_view::npos) {
      return malformed(value, std::string("write \\") + value[0] + " for " + value[0]);
    }
    if (value[0] != '\\') {
      text += value[0];
      value.remove_prefix(1);
      continue;
    }
    const auto one = unescape_one(value);
    if (!one) return malformed(value, "unknown escape");
    text += one->first;
    value.remove_prefix(one->second);
  }
  return text;
}

bool is_printable_string(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const bool alphanumeric =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return alphanumeric || std::string_view(" '()+,-./:=?").find(c) != std::string_view::npos;
  });
}

bool is_ia5_string(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// The string types that RFC 5280 appendix A gives these attributes.
der::Tag string_type(const Oid& type) {
  if (type == oid::id_at_countryName || type == oid::id_at_serialNumber ||
      type == oid::id_at_dnQualifier) {
    return der::kPrintableString;
  }
  const bool ia5 = type == oid::id_at_domainComponent || type == oid::id_at_emailAddress;
  return ia5 ? der::kIa5String : der::kUtf8String;
}

Result<Bytes> encode_text(const Oid& type, std::string_view part, const std::string& text) {
  if (text.empty()) return malformed(part, "the value is empty");
  const auto tag = string_type(type);
  if (tag == der::kPrintableString && !is_printable_string(text)) {
    return malformed(part, "only letters, digits and '()+,-./:=? are allowed here");
  }
  if (tag == der::kIa5String && !is_ia5_string(text)) {
    return malformed(part, "only ASCII is allowed here");
  }
  if (type == oid::id_at_countryName && text.size() != 2) {
    return malformed(part, "a country is two letters");
  }
  der::Writer writer;
  writer.utf8_string(text, tag);
  if (tag == der::kUtf8String && !der::Reader(writer.bytes()).utf8_string()) {
    return malformed(part, "the value is not UTF-8");
  }
  return std::move(writer).take();
}

// "#" and the hexadecimal digits of one DER element.
Result<Bytes> encode_hex(std::string_view part, std::string_view digits) {
  const auto whole = from_hex(digits);
  if (!whole) return malformed(part, "hexadecimal digits belong behind #");
  der::Reader reader(*whole);
  if (!reader.any() || !reader.finish()) return malformed(part, "the value behind # is not DER");
  return *whole;
}

Result<Bytes> encode_value(const Oid& type, std::string_view part, std::string_view value,
                           const Syntax& syntax) {
  if (value.starts_with('#')) return encode_hex(part, value.substr(1));
  ASSIGN_OR_RETURN(const std::string text, unescape(value, syntax));
  return encode_text(type, part, text);
}

// "CN=dev1" as SEQUENCE { type, value }.
Result<Bytes> encode_attribute(std::string_view part, const Syntax& syntax) {
  const auto equals = part.find('=');
  if (equals == std::string_view::npos) {
    return malformed(part, "no '='",
                     "write CN=dev1,O=Grid or /O=Grid/CN=dev1, and a backslash before a "
                     "separator inside a value");
  }
  const auto type = attribute_type(trim(part.substr(0, equals)));
  if (!type) return malformed(part, "unknown attribute type", "write the dotted OID instead");
  ASSIGN_OR_RETURN(const Bytes value,
                   encode_value(*type, part, trim(part.substr(equals + 1)), syntax));
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    writer.object_identifier(*type);
    writer.raw(value);
  });
  return std::move(writer).take();
}

// "CN=dev1+serialNumber=7" as SET OF, in the order of X.690 11.6.
Result<Bytes> encode_rdn(std::string_view text, const Syntax& syntax) {
  std::vector<Bytes> attributes;
  for (const auto part : split(text, '+')) {
    ASSIGN_OR_RETURN(Bytes attribute, encode_attribute(part, syntax));
    attributes.push_back(std::move(attribute));
  }
  std::sort(attributes.begin(), attributes.end());
  der::Writer writer;
  writer.constructed(der::kSet, [&] {
    for (const auto& attribute : attributes) writer.raw(attribute);
  });
  return std::move(writer).take();
}

}  // namespace

Result<std::vector<Bytes>> parse_name_text(std::string_view text) {
  if (text.size() > kMaxText) return hold("a name is at most 8192 octets of text");
  std::vector<Bytes> rdns;
  if (trim(text).empty()) return rdns;
  const bool slashes = text.front() == '/';
  const Syntax& syntax = slashes ? kSlashes : kRfc4514;
  if (slashes) text.remove_prefix(1);
  if (slashes && text.empty()) return rdns;
  for (const auto part : split(text, syntax.separator)) {
    ASSIGN_OR_RETURN(Bytes rdn, encode_rdn(part, syntax));
    rdns.push_back(std::move(rdn));
  }
  if (!slashes) std::reverse(rdns.begin(), rdns.end());
  return rdns;
}

}  // namespace cmpost
