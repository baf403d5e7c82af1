#include "asn1/der_form.h"

#include <algorithm>
#include <optional>

#include "base/result.h"

namespace cmpost::der {
namespace {

constexpr int kDeepest = 32;

tl::unexpected<Fault> wrong(std::string what) {
  return tl::unexpected<Fault>(Fault{0, std::move(what)});
}

template <typename Predicate>
Parsed<void> check_octets(ByteView octets, const char* type, Predicate allowed) {
  const auto bad = std::ranges::find_if_not(octets, allowed);
  if (bad == octets.end()) return {};
  return wrong(std::string(type) + " has the octet 0x" + to_hex(ByteView(&*bad, 1)));
}

bool is_printable_character(std::uint8_t c) {
  const bool alphanumeric =
      (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return alphanumeric ||
         std::string_view(" '()+,-./:=?").find(static_cast<char>(c)) != std::string_view::npos;
}

// X.690 8.23.5.2 and ISO 10646: two octets a character, none of them a surrogate or a noncharacter.
Parsed<void> check_bmp(ByteView octets) {
  if (octets.size() % 2 != 0) return wrong("BMPString has an odd number of octets");
  for (; !octets.empty(); octets = octets.subspan(2)) {
    const unsigned code = static_cast<unsigned>(octets[0]) << 8 | octets[1];
    const bool surrogate = code >= 0xd800 && code <= 0xdfff;
    const bool noncharacter = code >= 0xfffe || (code >= 0xfdd0 && code <= 0xfdef);
    if (surrogate || noncharacter || code == 0) {
      return wrong("BMPString has the code 0x" + to_hex(octets.first(2)));
    }
  }
  return {};
}

Parsed<void> check_universal_string(ByteView octets) {
  if (octets.size() % 4 != 0) return wrong("UniversalString is not of four octets a character");
  for (; !octets.empty(); octets = octets.subspan(4)) {
    std::uint32_t code = 0;
    for (const auto octet : octets.first(4)) code = code << 8 | octet;
    if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
      return wrong("UniversalString has the code 0x" + to_hex(octets.first(4)));
    }
  }
  return {};
}

// A NUL ends the text early for many a reader.
Parsed<void> check_utf8(ByteView octets) {
  if (!is_utf8(text_of(octets))) return wrong("UTF8String is not UTF-8");
  return check_octets(octets, "UTF8String", [](std::uint8_t c) { return c != 0; });
}

// X.690 11.6: "The encodings of the component values of a set-of value shall appear in ascending
// order, the encodings being compared as octet strings"; 10.3 for a SET: by tags.
bool in_order(const Element& first, const Element& second) {
  constexpr auto kConstructed = 0x20;
  const auto tag_of = [](const Element& e) { return e.tag & ~kConstructed; };
  if (tag_of(first) != tag_of(second)) return tag_of(first) < tag_of(second);
  return std::ranges::lexicographical_compare(first.whole, second.whole);
}

// Of the universal types those that every reader knows; REAL, TIME and the like are none.
bool is_known_type(Tag tag) {
  constexpr Tag kNumber = 0x1f;
  const auto number = tag & kNumber;
  return (number >= 1 && number <= 6) || number == 10 || number == 12 ||
         (number >= 16 && number <= 28) || number == 30;
}

Parsed<void> check_elements(Reader elements, int depth);

Parsed<void> check_universal(const Element& element) {
  Reader value(element.whole);
  switch (element.tag) {
    case kBoolean:
      TRY(value.boolean());
      return {};
    case kInteger:
    case kEnumerated:
      TRY(value.big_integer(element.tag));
      return {};
    case kBitString:
      TRY(value.bit_string());
      return {};
    case kNull:
      return value.null();
    case kOid:
      TRY(value.object_identifier());
      return {};
    case kUtcTime:
      TRY(value.utc_time());
      return {};
    case kGeneralizedTime:
      TRY(value.generalized_time());
      return {};
    default:
      return check_string(element);
  }
}

Parsed<void> check_element(const Element& element, int depth) {
  constexpr Tag kConstructed = 0x20;
  constexpr Tag kClass = 0xc0;
  const bool universal = (element.tag & kClass) == 0;
  if (universal && !is_known_type(element.tag)) return wrong("a type that few can read");
  if ((element.tag & kConstructed) != 0) {
    if (element.tag == kSet) TRY(check_set_of(Reader(element.content)));
    return check_elements(Reader(element.content), depth + 1);
  }
  if (universal) return check_universal(element);
  return {};
}

Parsed<void> check_elements(Reader elements, int depth) {
  if (depth > kDeepest) return wrong("it is nested too deeply");
  while (!elements.at_end()) {
    ASSIGN_OR_RETURN(const Element element, elements.any());
    TRY(check_element(element, depth));
  }
  return {};
}

}  // namespace

Parsed<void> check_string(const Element& element) {
  const auto octets = element.content;
  switch (element.tag) {
    case kUtf8String:
      return check_utf8(octets);
    case kPrintableString:
      return check_octets(octets, "PrintableString", is_printable_character);
    case kNumericString:
      return check_octets(octets, "NumericString",
                          [](std::uint8_t c) { return c == ' ' || (c >= '0' && c <= '9'); });
    case kIa5String:
      return check_octets(octets, "IA5String", [](std::uint8_t c) { return c != 0 && c < 0x80; });
    case kVisibleString:
      return check_octets(octets, "VisibleString",
                          [](std::uint8_t c) { return c >= ' ' && c < 0x7f; });
    // Beyond ASCII some take it for Latin-1, some for UTF-8, and hardly any for T.61.
    case kTeletexString:
      return check_octets(octets, "TeletexString",
                          [](std::uint8_t c) { return c >= ' ' && c < 0x7f; });
    case kBmpString:
      return check_bmp(octets);
    case kUniversalString:
      return check_universal_string(octets);
    default:
      return {};
  }
}

Parsed<void> check_form(ByteView input) { return check_elements(Reader(input), 0); }

Parsed<void> check_set_of(Reader set) {
  std::optional<Element> before;
  while (!set.at_end()) {
    ASSIGN_OR_RETURN(const Element element, set.any());
    if (before && !in_order(*before, element)) {
      const bool twice = std::ranges::equal(before->whole, element.whole);
      return wrong(twice ? "a SET has an element twice" : "a SET is not in order");
    }
    before = element;
  }
  return {};
}

bool has_readable_arcs(const Oid& oid) {
  std::uint64_t arc = 0;
  for (const auto octet : oid.content()) {
    arc = arc << 7 | (octet & 0x7fU);
    if (arc >> 28 != 0) return false;
    if (octet < 0x80) arc = 0;
  }
  return true;
}

}  // namespace cmpost::der
