#include "asn1/name.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "asn1/name_text.h"
#include "base/ascii.h"

namespace cmpost {
namespace {

using Attribute = std::pair<Oid, der::Element>;
using Rdn = std::vector<Attribute>;

der::Parsed<Attribute> read_attribute(der::Reader& rdn) {
  ASSIGN_OR_RETURN(der::Reader inside, rdn.enter(der::kSequence));
  ASSIGN_OR_RETURN(const Oid type, inside.object_identifier());
  ASSIGN_OR_RETURN(const der::Element value, inside.any());
  TRY(inside.finish());
  return Attribute(type, value);
}

// Walks the attributes of a Name; `begin_rdn` before each RDN, `attribute` for each in it.
template <typename BeginRdn, typename EachAttribute>
der::Parsed<void> walk(der::Reader rdns, BeginRdn begin_rdn, EachAttribute attribute) {
  while (!rdns.at_end()) {
    ASSIGN_OR_RETURN(der::Reader rdn, rdns.enter(der::kSet));
    if (rdn.at_end()) return rdn.fault("RelativeDistinguishedName is empty");
    begin_rdn();
    while (!rdn.at_end()) {
      ASSIGN_OR_RETURN(const Attribute one, read_attribute(rdn));
      attribute(one);
    }
  }
  return {};
}

// The RDNs of a Name, whose structure Name::read has checked or we have written.
std::vector<Rdn> rdns_of(ByteView name) {
  std::vector<Rdn> rdns;
  auto inside = der::Reader(name).enter(der::kSequence);
  CHECK(inside.has_value());
  const auto walked = walk(
      *inside, [&] { rdns.emplace_back(); }, [&](const Attribute& a) { rdns.back().push_back(a); });
  CHECK(walked.has_value());
  return rdns;
}

std::string value_text(const der::Element& value) {
  return directory_string(value).value_or("#" + to_hex(value.whole));
}

AttributeTypeAndValue attribute_of(const Oid& type, const der::Element& value) {
  auto text = directory_string(value);
  const bool is_text = text.has_value();
  return {type, is_text ? *std::move(text) : value_text(value), is_text};
}

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// An attribute such that equal octets mean the same attribute.
void write_key(der::Writer& key, const Attribute& attribute) {
  const auto& [type, value] = attribute;
  key.object_identifier(type);
  if (const auto text = directory_string(value)) {
    key.utf8_string(folded_value(*text));
  } else {
    key.octet_string(value.whole);
  }
}

// The attributes of `rdn` in an order of their own: a SET has none.
void write_sorted_keys(der::Writer& key, const Rdn& rdn) {
  std::vector<Bytes> keys;
  for (const auto& attribute : rdn) {
    der::Writer one;
    write_key(one, attribute);
    keys.push_back(std::move(one).take());
  }
  std::sort(keys.begin(), keys.end());
  for (const auto& one : keys) key.raw(one);
}

std::string rdn_text(const Rdn& rdn) {
  std::string text;
  for (const auto& [type, value] : rdn) {
    if (!text.empty()) text += '+';
    text += attribute_text(type, value);
  }
  return text;
}

}  // namespace

std::string folded_value(std::string_view text) {
  std::string out;
  bool blank = false;
  for (const char c : text) {
    if (is_blank(c)) {
      blank = true;
      continue;
    }
    if (blank && !out.empty()) out.push_back(' ');
    blank = false;
    out.push_back(lower_ascii(c));
  }
  return out;
}

Bytes Name::empty_name() { return {der::kSequence, 0}; }

der::Parsed<Name> Name::read(der::Reader& reader) {
  der::Reader peeked = reader;
  ASSIGN_OR_RETURN(const der::Element element, reader.expect(der::kSequence));
  ASSIGN_OR_RETURN(const der::Reader rdns, peeked.enter(der::kSequence));
  TRY(walk(
      rdns, [] {}, [](const Attribute&) {}));
  return Name(to_bytes(element.whole));
}

std::string Name::text() const {
  const auto rdns = rdns_of(der_);
  std::string text;
  // RFC 4514 2.1: "starting with the last element of the sequence and moving backwards".
  for (auto rdn = rdns.rbegin(); rdn != rdns.rend(); ++rdn) {
    if (!text.empty()) text += ',';
    text += rdn_text(*rdn);
  }
  return text;
}

std::vector<AttributeTypeAndValue> Name::attributes() const {
  std::vector<AttributeTypeAndValue> attributes;
  for (auto& rdn : rdns()) std::move(rdn.begin(), rdn.end(), std::back_inserter(attributes));
  return attributes;
}

std::vector<RelativeDistinguishedName> Name::rdns() const {
  std::vector<RelativeDistinguishedName> rdns;
  for (const auto& rdn : rdns_of(der_)) {
    auto& attributes = rdns.emplace_back();
    for (const auto& [type, value] : rdn) attributes.push_back(attribute_of(type, value));
  }
  return rdns;
}

std::optional<std::string> Name::first(const Oid& type) const {
  for (const auto& rdn : rdns_of(der_)) {
    for (const auto& [found, value] : rdn) {
      if (found == type) return value_text(value);
    }
  }
  return std::nullopt;
}

bool Name::same(const Name& other) const {
  return der_ == other.der_ || comparison_key() == other.comparison_key();
}

std::string Name::comparison_key() const {
  der::Writer key(der_.size());
  for (const auto& rdn : rdns_of(der_)) {
    key.constructed(der::kSet, [&] {
      rdn.size() == 1 ? write_key(key, rdn.front()) : write_sorted_keys(key, rdn);
    });
  }
  return std::string(text_of(key.bytes()));
}

Result<Name> Name::from_text(std::string_view text) {
  ASSIGN_OR_RETURN(const auto rdns, parse_name_text(text));
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    for (const auto& rdn : rdns) writer.raw(rdn);
  });
  return Name(std::move(writer).take());
}

}  // namespace cmpost
