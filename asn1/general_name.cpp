#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "asn1/name.h"
#include "base/ascii.h"

namespace cmpost {
namespace {

constexpr der::Tag kOtherName = der::context_constructed(0), kRfc822Name = der::context(1),
                   kDnsName = der::context(2), kX400Address = der::context_constructed(3),
                   kDirectoryName = der::context_constructed(4),
                   kEdiPartyName = der::context_constructed(5),
                   kUniformResourceIdentifier = der::context(6), kIpAddress = der::context(7),
                   kRegisteredId = der::context(8);

struct TextChoice {
  der::Tag tag;
  std::string_view prefix;
};
constexpr TextChoice kTextChoices[] = {
    {kRfc822Name, "email:"}, {kDnsName, "DNS:"}, {kUniformResourceIdentifier, "URI:"}};

// RFC 5280 4.2.1.6: "For IP version 4, [...] the octet string MUST contain exactly four octets";
// twice as many with a mask in name constraints.
bool is_address_length(std::size_t size) {
  return size == 4 || size == 8 || size == 16 || size == 32;
}

bool is_ascii(ByteView text) {
  return std::all_of(text.begin(), text.end(), [](std::uint8_t octet) { return octet < 0x80; });
}

der::Parsed<void> check_other_name(der::Reader inside) {
  TRY(inside.object_identifier());
  TRY(inside.expect(der::context_constructed(0)));
  return inside.finish();
}

der::Parsed<void> check_directory_name(der::Reader inside) {
  TRY(Name::read(inside));
  return inside.finish();
}

der::Parsed<void> check(const der::Reader& reader, const der::Element& name) {
  switch (name.tag) {
    case kOtherName:
      return check_other_name(reader.inside(name));
    case kDirectoryName:
      return check_directory_name(reader.inside(name));
    case kRfc822Name:
    case kDnsName:
    case kUniformResourceIdentifier:
      if (!is_ascii(name.content)) return reader.fault("GeneralName is not an IA5String");
      return {};
    case kIpAddress:
      if (!is_address_length(name.content.size())) return reader.fault("iPAddress is malformed");
      return {};
    case kRegisteredId:
      if (!Oid::from_content(name.content)) return reader.fault("registeredID is malformed");
      return {};
    case kX400Address:
    case kEdiPartyName:
      return {};
    default:
      return reader.fault("not a choice of GeneralName");
  }
}

der::Element element_of(const GeneralName& name) {
  const auto element = der::Reader(name.der).any();
  return element ? *element : der::Element{};
}

std::string address_text(ByteView octets) {
  const int family = octets.size() == 4 ? AF_INET : AF_INET6;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (octets.size() != 4 && octets.size() != 16) return to_hex(octets);
  return ::inet_ntop(family, octets.data(), text.data(), text.size());
}

std::string other_name_text(ByteView content) {
  const auto type = der::Reader(content).object_identifier();
  return "otherName:" + (type ? type->dotted() : "");
}

std::optional<Bytes> parse_address(const std::string& text) {
  Bytes octets(16);
  if (::inet_pton(AF_INET6, text.c_str(), octets.data()) == 1) return octets;
  octets.resize(4);
  if (::inet_pton(AF_INET, text.c_str(), octets.data()) == 1) return octets;
  return std::nullopt;
}

GeneralName primitive(der::Tag tag, ByteView content) {
  der::Writer writer;
  writer.primitive(tag, content);
  return {std::move(writer).take()};
}

// RFC 5280 7.5: the local part octet by octet, the host without case.
bool same_mailbox(std::string_view a, std::string_view b) {
  const auto at = a.rfind('@');
  if (at == std::string_view::npos || b.rfind('@') != at) return false;
  return a.substr(0, at) == b.substr(0, at) && same_letters(a.substr(at), b.substr(at));
}

// What stands behind `prefix`, in any case; nullopt when `text` begins otherwise.
std::optional<std::string_view> behind(std::string_view text, std::string_view prefix) {
  if (text.size() == prefix.size() || !starts_with_letters(text, prefix)) return std::nullopt;
  return text.substr(prefix.size());
}

}  // namespace

der::Parsed<GeneralName> read_general_name(der::Reader& reader) {
  const der::Reader before = reader;
  ASSIGN_OR_RETURN(const der::Element element, reader.any());
  TRY(check(before, element));
  return GeneralName{to_bytes(element.whole)};
}

std::optional<Name> GeneralName::directory_name() const {
  const auto element = element_of(*this);
  if (element.tag != kDirectoryName) return std::nullopt;
  der::Reader inside(element.content);
  auto name = Name::read(inside);
  if (!name) return std::nullopt;
  return *std::move(name);
}

std::string GeneralName::text() const {
  const auto element = element_of(*this);
  for (const auto& [tag, prefix] : kTextChoices) {
    if (tag == element.tag) return std::string(prefix) + printable(text_of(element.content));
  }
  switch (element.tag) {
    case kDirectoryName: {
      const auto name = directory_name();
      return "dirName:" + (name ? name->text() : "");
    }
    case kIpAddress:
      return "IP:" + address_text(element.content);
    case kRegisteredId: {
      const auto oid = Oid::from_content(element.content);
      return "RID:" + (oid ? oid->dotted() : "");
    }
    case kOtherName:
      return other_name_text(element.content);
    default:
      return "other:" + printable(to_hex(der));
  }
}

bool GeneralName::same(const GeneralName& other) const {
  if (der == other.der) return true;
  const auto mine = element_of(*this), theirs = element_of(other);
  if (mine.tag != theirs.tag) return false;
  if (mine.tag == kDnsName) return same_letters(text_of(mine.content), text_of(theirs.content));
  if (mine.tag == kRfc822Name) return same_mailbox(text_of(mine.content), text_of(theirs.content));
  const auto name = directory_name(), other_name = other.directory_name();
  return name && other_name && name->same(*other_name);
}

GeneralName GeneralName::of(const Name& name) { return primitive(kDirectoryName, name.der()); }

Result<GeneralName> GeneralName::from_text(std::string_view text) {
  for (const auto& [tag, prefix] : kTextChoices) {
    const auto value = behind(text, prefix);
    if (!value) continue;
    if (!is_ascii(view_of(*value))) return hold("'" + printable(text) + "' is not ASCII");
    return primitive(tag, view_of(*value));
  }
  if (const auto value = behind(text, "IP:")) {
    const auto octets = parse_address(std::string(*value));
    if (octets) return primitive(kIpAddress, *octets);
  }
  if (const auto value = behind(text, "RID:")) {
    const auto oid = Oid::from_dotted(*value);
    if (oid) return primitive(kRegisteredId, oid->content());
  }
  if (const auto value = behind(text, "dirName:")) {
    ASSIGN_OR_RETURN(const Name name, Name::from_text(*value));
    return of(name);
  }
  return hold("'" + printable(text) + "' is not a name",
              "write DNS:, email:, URI:, IP:, RID: or dirName: and the value");
}

}  // namespace cmpost
