#include "asn1/name_form.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "asn1/der_form.h"

namespace cmpost {
namespace {

using Wrong = std::optional<std::string>;

// The string types that OpenSSL, Go, Python's cryptography and Bouncy Castle all read in a name.
bool is_read_by_all(der::Tag tag) {
  return tag == der::kUtf8String || tag == der::kPrintableString || tag == der::kIa5String ||
         tag == der::kNumericString || tag == der::kTeletexString || tag == der::kBmpString;
}

Wrong wrong_value(const Oid& type, const der::Element& value) {
  const auto fault = [&](const std::string& what) { return type.name() + ": " + what; };
  if (!der::has_readable_arcs(type)) return fault("the type has an arc from 2^28");
  if (!is_read_by_all(value.tag)) {
    return fault("the value is no string of a type that everybody reads, its tag is 0x" +
                 to_hex(ByteView(&value.tag, 1)));
  }
  if (value.content.empty()) return fault("the value is empty");
  const auto checked = der::check_string(value);
  return checked ? Wrong() : fault(checked.error().what);
}

bool is_visible(std::uint8_t c) { return c > ' ' && c < 0x7f; }

Wrong wrong_text(std::string_view kind, ByteView content) {
  if (content.empty()) return std::string(kind) + " is empty";
  if (std::ranges::all_of(content, is_visible)) return std::nullopt;
  return std::string(kind) + " has a blank, a control character or an octet that is no ASCII";
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool is_one_of(char c, std::string_view characters) {
  return characters.find(c) != std::string_view::npos;
}

bool is_scheme(std::string_view text) {
  return !text.empty() && is_letter(text.front()) && std::ranges::all_of(text, [](char c) {
    return is_letter(c) || is_digit(c) || is_one_of(c, "+-.");
  });
}

// unreserved, reserved and pct-encoded of RFC 3986 2.
bool has_uri_characters(std::string_view text, std::string_view punctuation) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size() || !is_hex_digit(text[i + 1]) || !is_hex_digit(text[i + 2])) {
        return false;
      }
    } else if (!is_letter(c) && !is_digit(c) && !is_one_of(c, punctuation)) {
      return false;
    }
  }
  return true;
}

bool is_port(std::string_view text) {
  return text.size() <= 5 && std::ranges::all_of(text, is_digit);
}

// A registered name or an IPv4 address, or an IPv6 address in brackets; never empty labels.
bool is_host(std::string_view host) {
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) return false;
    std::array<std::uint8_t, 16> address{};
    const std::string text(host.substr(1, host.size() - 2));
    return ::inet_pton(AF_INET6, text.c_str(), address.data()) == 1;
  }
  const bool characters = std::ranges::all_of(
      host, [](char c) { return is_letter(c) || is_digit(c) || is_one_of(c, "-._~!$&'()*+,;="); });
  const bool labels =
      !host.starts_with('.') && !host.ends_with('.') && host.find("..") == std::string_view::npos;
  return characters && labels && host.size() <= 253;
}

// [ userinfo "@" ] host [ ":" port ]; empty in file:///a.
bool is_authority(std::string_view text) {
  if (text.empty()) return true;
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    if (!has_uri_characters(text.substr(0, at), "-._~!$&'()*+,;=:")) return false;
    text.remove_prefix(at + 1);
  }
  const auto bracket = text.rfind(']');
  const auto colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos && !is_port(text.substr(colon + 1))) return false;
  const auto host = text.substr(0, colon);
  return !host.empty() && is_host(host);
}

Wrong wrong_uri(ByteView content, NameUse use) {
  if (auto wrong = wrong_text("a URI", content)) return wrong;
  if (use == NameUse::constraint || is_uri(text_of(content))) return std::nullopt;
  return "a URI breaks RFC 3986";
}

// RFC 5280 4.2.1.10: an address and a mask "in the style of RFC 4632".
bool is_range(ByteView octets) {
  if (octets.size() != 8 && octets.size() != 32) return false;
  const auto mask = octets.subspan(octets.size() / 2);
  bool ended = false;
  for (std::size_t i = 0; i < 8 * mask.size(); ++i) {
    const bool set = (mask[i / 8] & 0x80 >> i % 8) != 0;
    if (set && ended) return false;
    ended = ended || !set;
  }
  return true;
}

Wrong wrong_address(ByteView octets, NameUse use) {
  if (use == NameUse::constraint) {
    return is_range(octets) ? Wrong() : "an iPAddress is no address with a mask";
  }
  if (octets.size() == 4 || octets.size() == 16) return std::nullopt;
  return "an iPAddress has " + std::to_string(octets.size()) + " octets";
}

Wrong wrong_other_name(const der::Element& name) {
  const auto type = der::Reader(name.content).object_identifier();
  if (!type || !der::has_readable_arcs(*type)) return "the type of an otherName is unreadable";
  const auto checked = der::check_form(name.content);
  return checked ? Wrong() : "an otherName: " + checked.error().what;
}

Wrong wrong_rdn_form(der::Reader rdn) {
  if (rdn.at_end()) return "an RDN is empty";
  if (const auto order = der::check_set_of(rdn); !order) {
    return "an RDN of several attributes: " + order.error().what;
  }
  while (!rdn.at_end()) {
    auto pair = rdn.enter(der::kSequence);
    if (!pair) return pair.error().what;
    const auto type = pair->object_identifier();
    if (!type) return type.error().what;
    const auto value = pair->any();
    if (!value) return value.error().what;
    if (!pair->at_end()) return "an attribute has more than a type and a value";
    if (auto wrong = wrong_value(*type, *value)) return wrong;
  }
  return std::nullopt;
}

}  // namespace

Wrong wrong_form(const Name& name) {
  der::Reader outer(name.der());
  auto rdns = outer.enter(der::kSequence);
  while (rdns && !rdns->at_end()) {
    auto rdn = rdns->enter(der::kSet);
    if (!rdn) return rdn.error().what;
    if (auto wrong = wrong_rdn_form(*rdn)) return wrong;
  }
  return std::nullopt;
}

Wrong wrong_form(const GeneralName& name, NameUse use) {
  const auto element = der::Reader(name.der).any();
  if (!element) return element.error().what;
  const bool may_be_empty = use == NameUse::constraint && element->content.empty();
  switch (element->tag) {
    case der::context_constructed(0):
      return wrong_other_name(*element);
    case der::context(1):
      return may_be_empty ? Wrong() : wrong_text("an rfc822Name", element->content);
    case der::context(2):
      return may_be_empty ? Wrong() : wrong_text("a dNSName", element->content);
    case der::context_constructed(4): {
      const auto directory = name.directory_name();
      if (!directory) return "a directoryName is malformed";
      auto wrong = wrong_form(*directory);
      return wrong ? "a directoryName: " + *wrong : wrong;
    }
    case der::context(6):
      return may_be_empty ? Wrong() : wrong_uri(element->content, use);
    case der::context(7):
      return wrong_address(element->content, use);
    case der::context(8): {
      const auto oid = Oid::from_content(element->content);
      return oid && der::has_readable_arcs(*oid) ? Wrong() : "a registeredID is malformed";
    }
    default:
      return "a name is of a kind that few can read, x400Address or ediPartyName";
  }
}

bool is_uri(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon + 1 == text.size()) return false;
  if (!is_scheme(text.substr(0, colon))) return false;
  auto rest = text.substr(colon + 1);
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    const auto end = rest.find_first_of("/?#");
    if (!is_authority(rest.substr(0, end))) return false;
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end);
  }
  const bool one_fragment = std::ranges::count(rest, '#') <= 1;
  return one_fragment && has_uri_characters(rest, "-._~!$&'()*+,;=:@/?#");
}

}  // namespace cmpost
